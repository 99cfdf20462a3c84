/* SPDX-License-Identifier: MIT */
/*
 * kernels.c - releases of Linux whose rseq must not be trusted
 *
 * What    A table of ranges of releases, for aarch64. From 6.19 on a sequence was restarted
 *         there only when its thread changed its CPU, not when another thread ran on
 *         the same CPU in between, so two threads could pop one object.
 * Source  "[REGRESSION] rseq: refactoring in v6.19 broke everyone on arm64", linux-kernel,
 *         22 April 2026; 7.0.14 is the first release of 7.0 that is known to be mended
 *         (MongoDB's release notes: "6.19 through 7.0.13"). Which 7.1.x has the same
 *         is not known, so none is trusted; what was in 7.0.14 is in 7.2.
 * Rules   KN1 a release that cannot be read is not trusted: lock mode is always right
 *         KN2 a release candidate counts as its release
 */
#include "port/linux/linux.h"

#include <stddef.h>
#include <stdint.h>

#define VERSION(major, minor, patch) \
	((uint64_t)(major) << 32 | (uint64_t)(minor) << 16 | (uint64_t)(patch))
#define VERSION_PART_MOST 0xffffu

static const struct {
	uint64_t from;
	uint64_t below;
} kernels_aarch64[] = {
	{ VERSION(6, 19, 0), VERSION(7, 0, 14) },
	{ VERSION(7, 1, 0), VERSION(7, 2, 0) },
};

/* The number at *@text, which is left behind it; false where there is none. */
static bool kernels_number(const char **text, uint64_t *number)
{
	const char *c = *text;

	*number = 0;
	for (; *c >= '0' && *c <= '9' && *number <= VERSION_PART_MOST; c++)
		*number = *number * 10 + (uint64_t)(*c - '0');
	if (c == *text || *number > VERSION_PART_MOST)
		return false;
	*text = c;
	return true;
}

/* "6.19.3-arm64" is 6, 19, 3; "7.1-rc2" is 7, 1, 0. */
static bool kernels_version(const char *release, uint64_t *version)
{
	uint64_t part[3] = { 0 };

	for (unsigned i = 0; i < 3; i++) {
		if (!kernels_number(&release, &part[i]))
			return false;
		if (*release != '.')
			break;
		release++;
	}
	*version = VERSION(part[0], part[1], part[2]);
	return part[1] != 0 || part[0] != 0;
}

bool linux_aarch64_rseq_is_trusted(const char *release)
{
	uint64_t version;

	if (!kernels_version(release, &version))
		return false; /* KN1 */
	for (size_t i = 0; i < sizeof(kernels_aarch64) / sizeof(kernels_aarch64[0]); i++)
		if (version >= kernels_aarch64[i].from && version < kernels_aarch64[i].below)
			return false;
	return true;
}
