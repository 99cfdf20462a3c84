/* SPDX-License-Identifier: MIT */
/*
 * main.c - the table of subcommands, and what they all need
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "tool.h"

static int main_help(int argc, char **argv);

static const struct {
	const char *name;
	const char *arguments;
	const char *help;
	int (*run)(int argc, char **argv);
} main_commands[] = {
	{ "run", "[options] -- PROGRAM ARGS", "run a program on Ashlar and say what it used",
	  run_main },
	{ "info", "PID|CORE [options]", "where the memory of a process or a core file is",
	  info_main },
	{ "trim", "PID", "ask a process to give back what it does not use", trim_main },
	{ "record", "-o FILE -- PROGRAM ARGS", "write down what a program asks its malloc for",
	  record_main },
	{ "minimum", "[-p BYTES] TRACE", "the least memory in which a trace succeeds on slob",
	  minimum_main },
	{ "help", "[columns]", "this text; what the figures mean", main_help },
};

#define MAIN_COMMANDS (sizeof(main_commands) / sizeof(main_commands[0]))

static void main_usage(FILE *out)
{
	fputs("Usage: ashlar COMMAND ...\n\n", out);
	for (size_t i = 0; i < MAIN_COMMANDS; i++)
		fprintf(out, "  ashlar %-8s%-27s%s\n", main_commands[i].name,
			main_commands[i].arguments, main_commands[i].help);
	fputs("\n`ashlar COMMAND --help` tells its options; see ashlar(1).\n", out);
}

static int main_help(int argc, char **argv)
{
	if (argc == 1) {
		main_usage(stdout);
	} else if (strcmp(argv[1], "columns") == 0) {
		columns_print_help(stdout);
	} else if (strcmp(argv[1], "stats.md") == 0) {
		columns_print_markdown(stdout);
	} else {
		tool_say("help: no text about '%s'; there is: columns", argv[1]);
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		main_usage(stderr);
		return TOOL_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		main_usage(stdout);
		return TOOL_OK;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("ashlar " ASHLAR_VERSION);
		return TOOL_OK;
	}
	for (size_t i = 0; i < MAIN_COMMANDS; i++)
		if (strcmp(argv[1], main_commands[i].name) == 0) {
			/* what getopt's messages begin with (TL3) */
			argv[1] = tool_text("ashlar: %s", argv[1]);
			return main_commands[i].run(argc - 1, argv + 1);
		}
	tool_say("no command '%s'; `ashlar help` lists them", argv[1]);
	return TOOL_USAGE;
}

/* ---- for all ------------------------------------------------------------------------ */

void tool_say(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	fprintf(stderr, "ashlar: %s\n", text ? text : format);
	free(text);
}

static void tool_die_of_memory(void)
{
	tool_say("out of memory");
	exit(TOOL_FAILED);
}

void *tool_alloc(size_t bytes)
{
	void *p = calloc(1, bytes);

	if (!p)
		tool_die_of_memory();
	return p;
}

void *tool_grow(void *p, size_t bytes)
{
	p = realloc(p, bytes);
	if (!p)
		tool_die_of_memory();
	return p;
}

char *tool_text(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (!text)
		tool_die_of_memory();
	return text;
}

/* Bytes of the UTF-8 character that @text begins with; 0 iff it begins with none. */
static size_t tool_character(const unsigned char *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	uint32_t c = text[0] & (0x7fu >> n);

	if (text[0] < 0x80)
		return 1;
	if (text[0] < 0xc0 || text[0] >= 0xf8)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text[i] & 0x3f);
	}
	return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

void tool_clean(char *text)
{
	while (*text) {
		size_t n = tool_character((const unsigned char *)text);

		if (n == 0 || (unsigned char)*text < ' ' || *text == 127)
			*text = '?';
		text += n ? n : 1;
	}
}

void *tool_open_output(const char *path)
{
	FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");

	if (!file)
		tool_say("%s: %s", path, strerror(errno));
	return file;
}

bool tool_close_output(void *file, const char *path)
{
	bool good = !ferror(file);
	int error = good ? 0 : errno; /* of the write that failed: none has gone well since */

	if ((file == stdout ? fflush(file) : fclose(file)) != 0 && good) {
		error = errno;
		good = false;
	}
	if (!good)
		tool_say("%s: %s", path, strerror(error));
	return good;
}
