/* SPDX-License-Identifier: MIT */
/*
 * library.c - see library.h
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "library.h"

char *library_find(const char *command, const char *name)
{
	const char *libdir = strrchr(ASHLAR_LIBDIR, '/');
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *places[5] = { 0 };
	char *found = NULL;
	size_t count = 0;

	libdir = libdir ? libdir + 1 : ASHLAR_LIBDIR;
	exe[n > 0 ? n : 0] = '\0';
	if (strrchr(exe, '/'))
		*strrchr(exe, '/') = '\0';
	places[count++] = tool_text("%s/%s", exe, name);
	places[count++] = tool_text("%s/../lib/%s/%s", exe, libdir, name);
	places[count++] = tool_text("%s/../%s/%s", exe, libdir, name);
	places[count++] = tool_text("%s/../lib/%s", exe, name);
	places[count++] = tool_text("%s/%s", ASHLAR_LIBDIR, name);
	for (size_t i = 0; i < count; i++) {
		if (!found && access(places[i], R_OK) == 0)
			found = realpath(places[i], NULL);
		free(places[i]);
	}
	if (!found)
		tool_say("%s: %s is neither beside the command nor installed", command, name);
	else if (strpbrk(found, " :"))
		tool_say("%s: %s: ld.so takes no LD_PRELOAD with a blank or a colon in it", command,
			 found);
	else
		return found;
	free(found);
	return NULL;
}

char **library_environment(char **names, char **values, size_t count)
{
	size_t n = 0;
	char **copy;
	size_t at = 0;

	while (environ[n])
		n++;
	copy = tool_alloc((n + count + 1) * sizeof(copy[0]));
	for (size_t i = 0; i < n; i++) {
		bool replaced = false;

		for (size_t j = 0; j < count; j++) {
			size_t length = strlen(names[j]);

			replaced |= strncmp(environ[i], names[j], length) == 0 &&
				    environ[i][length] == '=';
		}
		if (!replaced)
			copy[at++] = environ[i];
	}
	for (size_t j = 0; j < count; j++)
		copy[at++] = tool_text("%s=%s", names[j], values[j]);
	return copy;
}
