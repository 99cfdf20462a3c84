#!/bin/bash
# SPDX-License-Identifier: MIT
#
# options.sh - options are read once, before the first slab
. "$(dirname "$0")/../lib.sh"

compile options options.c

job() { under "$T/options"; }
unset_job() { under env -u ASHLAR_OPTIONS "$T/options"; }
same "options that change while the program runs" job
same "options that come while the program runs" unset_job
tap_done
