/* SPDX-License-Identifier: MIT */
/*
 * summary.c - see summary.h
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "print.h"
#include "summary.h"

#define SUMMARY_CACHES 6      /* shown */
#define SUMMARY_DESCENDANTS 5 /* shown */
#define SUMMARY_MISUSED 50    /* shown of those that were misused, which come first */

static void summary_how(char *to, size_t bytes, int status)
{
	if (WIFEXITED(status))
		snprintf(to, bytes, "exit status %d", WEXITSTATUS(status));
	else
		snprintf(to, bytes, "killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
}

static void summary_command(char *to, size_t bytes, char **argv)
{
	size_t at = 0;

	for (; *argv && at + 1 < bytes; argv++) {
		int n = snprintf(to + at, bytes - at, "%s%s", at ? " " : "", *argv);

		at += n > 0 ? (size_t)n : 0;
	}
	if (at >= bytes)
		memcpy(to + bytes - 4, "...", 4);
	tool_clean(to);
}

static void summary_title(FILE *out, const struct summary *s)
{
	char command[72];
	char how[64];

	summary_command(command, sizeof(command), s->argv);
	summary_how(how, sizeof(how), s->status);
	fputc('\n', out);
	print_heading(out, "ashlar: ");
	print_heading(out, command);
	fprintf(out, "\n  %s after %.2f s", how, s->seconds);
	if (s->main)
		fprintf(out, ", %.2f s of processor time, PID %u, %s",
			(double)(s->main->user_us + s->main->system_us) / 1e6, s->pid,
			s->main->percpu);
	fputc('\n', out);
}

static void summary_absent(FILE *out, const struct summary *s)
{
	if (s->no_record)
		fprintf(out, "  no figures: the program %s\n", s->no_record);
	else if (WIFSIGNALED(s->status))
		fputs("  no figures: a process that a signal kills leaves none\n", out);
	else
		fputs("  no figures: the program became another one that is static, setuid or has "
		      "its own malloc,\n  or it left without exit\n",
		      out);
}

/* How many of the others were misused; these come first. */
static size_t summary_misused(const struct summary *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nr_heaps; i++)
		n += &s->heaps[i] != s->main && s->heaps[i].events[ASHLAR_EVENT_MISUSE];
	return n;
}

static void summary_descendants(FILE *out, const struct summary *s)
{
	size_t others = s->nr_heaps - (s->main != NULL);
	size_t misused = summary_misused(s);
	size_t most = misused > SUMMARY_DESCENDANTS ? misused : SUMMARY_DESCENDANTS;
	size_t shown = 0;

	if (most > SUMMARY_MISUSED)
		most = SUMMARY_MISUSED;
	if (!others)
		return;
	fputc('\n', out);
	if (print_has_colour(out))
		fputs("\033[1m", out);
	fprintf(out, "  %-38s %12s %12s %12s\n",
		others == 1 ? "one other process" :
		misused     ? "other processes, misused, then largest" :
			      "the largest of the other processes",
		"process peak", "heap peak", "live");
	if (print_has_colour(out))
		fputs("\033[0m", out);
	for (size_t i = 0; i < s->nr_heaps && shown < most; i++) {
		const struct heap *h = &s->heaps[i];
		char text[3][32];

		if (h == s->main)
			continue;
		columns_format(text[0], 32, COLUMN_BYTES, h->rss_peak);
		columns_format(text[1], 32, COLUMN_BYTES, h->pages.peak);
		columns_format(text[2], 32, COLUMN_BYTES, h->sums.live);
		fprintf(out, "  %7u %-30.30s %12s %12s %12s\n", h->pid, h->command, text[0],
			text[1], text[2]);
		if (h->events[ASHLAR_EVENT_MISUSE])
			fprintf(out, "          %s\n", h->message);
		shown++;
	}
	if (others > shown)
		fprintf(out, "  and %zu more%s\n", others - shown,
			misused > shown ? ", misused as well" : "");
}

void summary_print(FILE *out, const struct summary *s)
{
	summary_title(out, s);
	if (s->main) {
		print_sums(out, s->main);
		print_events(out, s->main);
		fputc('\n', out);
		print_caches(out, s->main, columns_find(columns_cache, "peak"), SUMMARY_CACHES);
	} else {
		summary_absent(out, s);
	}
	summary_descendants(out, s);
}

struct json_object *summary_json(const struct summary *s)
{
	struct json_object *run = json_object_new_object();
	struct json_object *command = json_object_new_array();
	struct json_object *processes = json_object_new_array();

	for (char **a = s->argv; *a; a++) {
		char *word = tool_text("%s", *a);

		tool_clean(word);
		json_object_array_add(command, json_object_new_string(word));
		free(word);
	}
	json_object_object_add(run, "command", command);
	json_object_object_add(run, "pid", json_object_new_uint64(s->pid));
	json_object_object_add(run, "seconds", json_object_new_double(s->seconds));
	if (WIFEXITED(s->status))
		json_object_object_add(run, "exit", json_object_new_int(WEXITSTATUS(s->status)));
	else
		json_object_object_add(run, "signal", json_object_new_int(WTERMSIG(s->status)));
	if (!s->main && s->no_record)
		json_object_object_add(run, "no_record", json_object_new_string(s->no_record));
	for (size_t i = 0; i < s->nr_heaps; i++)
		json_object_array_add(processes, print_json(&s->heaps[i]));
	json_object_object_add(run, "processes", processes);
	return run;
}
