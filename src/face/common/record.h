/* SPDX-License-Identifier: MIT */
/*
 * record.h - what a process leaves behind when it ends
 */
#ifndef ASHLAR_FACE_RECORD_H
#define ASHLAR_FACE_RECORD_H

#include <stdbool.h>

/* With report=DIR: see to it that this process leaves a record, however it ends. */
void record_start(void);

/* Leave it now, if that was not done; @audited: all rules of the heap were proved just before. */
void record_leave(bool audited);

#endif
