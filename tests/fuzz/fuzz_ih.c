/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IH consumer: first 4 bytes of each 36 are a write pointer, the rest an entry at that place. */
#include <string.h>

#include "ih.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned seen;

static void handle(void *arg, const struct gv_ih_event *event)
{
	(void)arg;
	(void)gv_ih_fault_va(event);
	(void)gv_ih_fault_write(event);
	seen++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gv_ih_iv ring[64];
	struct gv_ih_ring ih = {.ring = ring, .bytes = sizeof(ring)};

	memset(ring, 0, sizeof(ring));
	for (; size >= 36; data += 36, size -= 36) {
		uint32_t wptr;

		memcpy(&wptr, data, 4);
		memcpy(&ring[wptr / 32 % 64], data + 4, sizeof(ring[0]));
		seen = 0;
		(void)gv_ih_consume(&ih, wptr, handle, NULL);
		if (seen >= 64 || ih.rptr >= sizeof(ring))
			abort();
	}
	return 0;
}
