# SPDX-License-Identifier: MIT
CC := aarch64-linux-gnu-gcc
ARCH_FLAGS := -mgeneral-regs-only -mno-outline-atomics -mstrict-align
DEVICE_TREE := 1
