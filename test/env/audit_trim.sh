#!/bin/bash
# SPDX-License-Identifier: MIT
#
# audit_trim.sh - an audit while another thread takes memory offline
. "$(dirname "$0")/../lib.sh"

compile audit_trim audit_trim.c -pthread
MODES=audit
job() { under "$T/audit_trim"; }
same "malloc_trim beside audits" job
tap_done
