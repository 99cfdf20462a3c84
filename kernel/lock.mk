# SPDX-License-Identifier: MIT
#
# lock.elf: bare.elf with a lock of the kernel's own (lock/checked.h); the Makefile of this folder
# includes this. One processor shows it.

LOCK := $(LIBRARY) $(filter-out bare/count_case.c,$(BARE)) $(wildcard lock/*.c)
LOCK_OBJECTS := $(foreach f,$(LOCK),$(call object,$(OUT)/lock,$(f)))
LOCK_FLAGS = -O1 $(BARE_INCLUDES) -I lock '-DASHLAR_HOST_LOCK="lock/checked.h"'
OBJECTS_lock := $(LOCK_OBJECTS)

all: $(OUT)/lock.elf

$(OUT)/lock.elf: $(OUT)/lock.objects $(LOCK_OBJECTS) $(ARCH)/link.ld
	@$(CC) $(ARCH_FLAGS) -nostdlib -static -no-pie -Wl,--build-id=none \
		-Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments -T $(ARCH)/link.ld \
		-o $@ $(LOCK_OBJECTS)

$(OUT)/lock/lib/%.o: $(ROOT)/% Makefile lock.mk $(ARCH)/flags.mk
	$(call compile,$(LOCK_FLAGS))
$(OUT)/lock/own/%.o: % Makefile lock.mk $(ARCH)/flags.mk
	$(call compile,$(LOCK_FLAGS))

-include $(LOCK_OBJECTS:.o=.d)
