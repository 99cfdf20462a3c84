/* SPDX-License-Identifier: MIT */
/* plugin_args.c - the loader tells a plugin's constructor what the program was called with */
#include <stdio.h>

__attribute__((constructor)) static void begin(int argc, char **argv, char **env)
{
	printf("%d arguments, the last is %s, environment %s\n", argc,
	       argc ? argv[argc - 1] : "none", env && *env ? "yes" : "no");
}
