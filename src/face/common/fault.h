/* SPDX-License-Identifier: MIT */
/*
 * fault.h - accesses beside guarded objects and after their free, as signals tell them
 */
#ifndef ASHLAR_FACE_FAULT_H
#define ASHLAR_FACE_FAULT_H

/* From now on they are told, unless the program puts a handler of its own in place of ours. */
void fault_catch(void);

#endif
