/* SPDX-License-Identifier: MIT */
/*
 * library.h - the library that is to be preloaded, and the environment for it
 */
#ifndef ASHLAR_TOOL_LIBRARY_H
#define ASHLAR_TOOL_LIBRARY_H

#include "tool.h"

/* The library @name: beside the command (a build folder), or where it is installed relative to it.
 * NULL, said in the name of @command, iff it is not there or cannot be preloaded. */
char *library_find(const char *command, const char *name);

/* A copy of the environment, @count variables replaced. */
char **library_environment(char **names, char **values, size_t count);

#endif
