# SPDX-License-Identifier: MIT
CC := riscv64-linux-gnu-gcc
ARCH_FLAGS := -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -mno-relax -msmall-data-limit=0
DEVICE_TREE := 1
