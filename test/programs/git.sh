#!/bin/bash
# SPDX-License-Identifier: MIT
#
# git.sh - git: many commits, a clone, a repack with threads, and fsck
. "$(dirname "$0")/../lib.sh"
need git git

export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=c
export GIT_COMMITTER_EMAIL=c@example.org GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
export GIT_AUTHOR_DATE="2020-01-01T00:00:00Z" GIT_COMMITTER_DATE="2020-01-01T00:00:00Z"
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

history() {
	awk 'BEGIN {
		for (i = 1; i <= 1500; i++) {
			text = ""
			for (k = 0; k < 20 + i % 60; k++)
				text = text "line " k " of " i * k % 97 "\n"
			printf "commit refs/heads/main\ncommitter c <c@example.org> %d +0000\n", 1500000000 + i
			printf "data 8\ncommit %%\nM 100644 inline dir%d/file%d\n", i % 12, i % 90
			printf "data %d\n%s\n", length(text), text
		}
	}' | sed 's/%$//; s/^data 8$/data 7/'
}
history >"$T/history"

job() {
	under git init -q -b main repo && cd repo || return 1
	under git fast-import --quiet <"$T/history" && under git reset -q --hard || return 1
	for i in {1..40}; do
		seq "$i" $((i * 50)) >"new$i"
		under git add -A && under git commit -q -m "commit $i" || return 1
	done
	under git clone -q --no-hardlinks . ../copy && cd ../copy || return 1
	under git -c pack.threads=2 repack -q -a -d -f --depth=20 --window=20 || return 1
	under git gc -q --prune=now || return 1
	under git fsck --full --strict || return 1
	under git log --stat | sha256sum
	under git grep -c "line 1" | sha256sum
	under git blame "$(git ls-files | head -n 1)" | sha256sum
	under git rev-parse HEAD
	under git count-objects -v | grep -E '^(count|in-pack|packs)'
}

same "git" job
tap_done
