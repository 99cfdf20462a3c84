/* SPDX-License-Identifier: MIT */
/*
 * record.c - ashlar record: a trace of what a program asks its malloc for
 *
 * What    Sets LD_PRELOAD to libashlar-record.so and ASHLAR_RECORD to the file, runs the program,
 *         and says how long the trace is. The program runs on the malloc that it has otherwise.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ashlar/trace.h"
#include "library.h"
#include "program.h"
#include "spawn.h"

#define RECORD_LIBRARY "libashlar-record.so"

static const struct option record_long[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void record_help(void)
{
	puts("Usage: ashlar record -o FILE [-q] -- PROGRAM ARGS\n"
	     "\n"
	     "Write down what PROGRAM asks its malloc for: sizes and order, no addresses, no\n"
	     "contents, one to four bytes a call. bench/replay does the same work again on any\n"
	     "allocator. Programs that it starts have traces of their own, FILE.PID.\n"
	     "\n"
	     "  -o, --output FILE  where the trace goes; a file that is there is replaced\n"
	     "  -q, --quiet        say nothing at the end\n"
	     "  -h, --help         this text\n"
	     "\n"
	     "Exit status: the program's, or 127, 126, 2, 1 as of `ashlar run`.");
}

/* false, said, iff there is no trace. */
static bool record_say(const char *path, bool quiet)
{
	struct ashlar_trace_header h;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool good = fd >= 0 && read(fd, &h, sizeof(h)) == (ssize_t)sizeof(h) &&
		    h.magic == ASHLAR_TRACE_MAGIC;

	if (!good)
		tool_say("record: the program has left no trace in %s", path);
	else if (!quiet)
		fprintf(stderr,
			"ashlar: %s: %llu calls, %llu objects, at most %llu bytes in use; %llu "
			"bytes of trace\n",
			path, (unsigned long long)h.events, (unsigned long long)h.objects,
			(unsigned long long)h.live_peak, (unsigned long long)h.length);
	if (fd >= 0)
		close(fd);
	return good;
}

static int record_run(char **argv, const char *path, bool quiet)
{
	char *library = library_find("record", RECORD_LIBRARY);
	char *names[] = { (char *)(uintptr_t) "LD_PRELOAD", (char *)(uintptr_t) "ASHLAR_RECORD" };
	const char *preload = getenv("LD_PRELOAD");
	char *values[2];
	char **environment;
	int status = 0;
	pid_t pid;
	int error;

	if (!library)
		return TOOL_FAILED;
	values[0] = tool_text("%s%s%s", library, preload && *preload ? ":" : "",
			      preload ? preload : "");
	values[1] = tool_text("%s", path);
	environment = library_environment(names, values, 2);
	error = spawn_program(argv, environment, &pid, &status);
	if (error) {
		tool_say("%s: %s", argv[0], strerror(error));
		return error == ENOENT ? TOOL_NOT_FOUND : TOOL_CANNOT_RUN;
	}
	if (!record_say(path, quiet) && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return TOOL_FAILED;
	spawn_end_like(status);
}

/* A file that is there goes; what is no file (a device, a pipe, a link) is left alone. */
static bool record_clear(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0) {
		if (errno == ENOENT)
			return true;
	} else if (!S_ISREG(st.st_mode)) {
		tool_say("record: %s: not a regular file; it is left as it is", path);
		return false;
	} else if (unlink(path) == 0) {
		return true;
	}
	tool_say("record: %s: %s", path, strerror(errno));
	return false;
}

int record_main(int argc, char **argv)
{
	const char *output = NULL;
	struct program_facts facts;
	bool quiet = false;
	char *path;
	int c;

	while ((c = getopt_long(argc, argv, "+o:qh", record_long, NULL)) >= 0) {
		if (c == 'h') {
			record_help();
			return TOOL_OK;
		}
		if (c == 'o')
			output = optarg;
		else if (c == 'q')
			quiet = true;
		else
			return TOOL_USAGE; /* getopt has said why */
	}
	if (!output || optind == argc) {
		tool_say("record: ashlar record -o FILE -- PROGRAM ARGS");
		return TOOL_USAGE;
	}
	program_inspect(&facts, argv[optind]);
	if (facts.verdict == PROGRAM_NOT_FOUND || facts.verdict == PROGRAM_MUST_NOT) {
		tool_say("%s: %s", argv[optind], facts.why ? facts.why : "cannot be recorded");
		return facts.verdict == PROGRAM_NOT_FOUND ? TOOL_NOT_FOUND : TOOL_FAILED;
	}
	if (!record_clear(output))
		return TOOL_FAILED;
	path = output[0] == '/' ? tool_text("%s", output) :
				  tool_text("%s/%s", get_current_dir_name(), output);
	return record_run(argv + optind, path, quiet);
}
