# SPDX-License-Identifier: MIT
CC := gcc
ARCH_FLAGS := -mcmodel=kernel -mno-red-zone -mgeneral-regs-only -fcf-protection=none
DEVICE_TREE :=
