#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# pages.sh - README and docs say what is so: links lead somewhere, functions are where the tour says,
# the options are those of the table, every file has its line, README's program runs
. "$(dirname "$0")/lib.bash"
pages=$(cd "$source" && ls README.md CONTRIBUTING.md CHANGELOG.md bench/README.md docs/*.md docs/decisions/*.md)

# Relative links, without what is inside ``` fences.
expect "every relative link leads to a file" "" "$(
	cd "$source" && for page in $pages; do
		awk '/^ *```/ { fence = !fence; next } !fence' "$page" | grep -oE '\]\([^)#]+' | cut -c3- |
			grep -vE '^[a-z]+:' | while read -r link; do
			[ -e "$(dirname "$page")/$link" ] || echo "$page: $link"
		done
	done
)"

# [`name`](../src/file): a definition of name stands in that file, at the start of a line or after
# a type, and is no prototype.
grep -oE '\[`[a-z_]+`\]\(\.\./src/[a-z_/]+\.[ch]\)' "$source/docs/tour.md" | sort -u >tour
expect "every function of the tour is defined in its file" "" "$(
	sed -E 's/^\[`([a-z_]+)`\]\(\.\.\/(.*)\)$/\1 \2/' tour | while read -r name file; do
		grep -qE "^([A-Za-z_].*[ *])?$name\([^;]*$" "$source/$file" || echo "$name $file"
	done
)"
expect "the tour names functions" "yes" "$([ "$(wc -l <tour)" -ge 50 ] && echo yes)"

expect "README's options are those of option.c" \
	"$(grep -oE '\.name = "[a-z_]+"' "$source/src/cache/option.c" | cut -d'"' -f2)" \
	"$(sed -n '/^## Options/,/^## Limits/p' "$source/README.md" | sed -nE 's/^\| `([a-z_]+)`.*/\1/p')"
expect "and the marked ones are those that harden" \
	"$(awk -F'"' '/\.name = /{ name = $2 } /\.hardens = true/{ print name }' \
		"$source/src/cache/option.c")" \
	"$(sed -nE 's/^\| `([a-z_]+)` \(marked\).*/\1/p' "$source/README.md")"

expect "and those that are 0 or 1 are those of option.c" \
	"$(awk -F'"' '/\.name = /{ name = $2 } /\.most = 1,/{ print name }' "$source/src/cache/option.c")" \
	"$(sed -nE 's/^\| `([a-z_]+)`( \(marked\))? \| 0 or 1 \|.*/\1/p' "$source/README.md")"
expect "ashlar(7) gives these a 1" \
	"$(awk -F'"' '/\.name = /{ name = $2 } /\.most = 1,/{ print name }' "$source/src/cache/option.c" | sort)" \
	"$(sed -nE 's/^\.BI ([a-z_]+)= 1$/\1/p' "$source/man/ashlar.7" | sort)"

expect "ashlar(7) names the same as honoured with more rights" \
	"$(awk -F'"' '/\.name = /{ name = $2 } /\.hardens = true/{ print name }' \
		"$source/src/cache/option.c" | sort)" \
	"$(sed -n '/more rights than its caller/,/^are honoured/p' "$source/man/ashlar.7" |
		sed -nE 's/^\.BR? ([a-z_]+).*/\1/p' | sort)"

expect "every source file has its line in docs/architecture.md" "" "$(
	cd "$source" && git ls-files 'src/*.[ch]' 'include/*.h' 2>/dev/null | while read -r file; do
		grep -qF "\`$file\`" docs/architecture.md || grep -qF "\`${file%.c}.h\`, \`.c\`" docs/architecture.md ||
			echo "$file"
	done
)"
expect "and every file there exists" "" "$(
	grep -oE '^\| `(src|include)/[^`]+`' "$source/docs/architecture.md" | cut -d'`' -f2 |
		while read -r file; do [ -e "$source/$file" ] || echo "$file"; done
)"
expect "a decision is at most one page" "" "$(
	cd "$source" && for page in docs/decisions/*.md; do
		[ "$(wc -l <"$page")" -le 60 ] || echo "$page"
	done
)"

if [ -f "$build/libashlar.so" ]; then
	sed -n '/^```c$/,/^```$/p' "$source/README.md" | grep -v '^```' >points.c
	cc -Wall -Wextra -Werror -o points points.c -I "$source/include" -L "$build" -lashlar \
		-Wl,-rpath,"$build" >points.log 2>&1
	expect "README's program compiles" "" "$(cat points.log)"
	expect "and runs" "0" "$(timeout 20 ./points >/dev/null 2>&1; echo $?)"
else
	skip "README's program" "this build has no shared library"
fi
done_testing
