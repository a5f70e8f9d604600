/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a code object: read, and when accepted, laid out and walked. */
#include <string.h>

#include <gv/code_object.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gv_co *co = NULL;
	struct gv_err err;
	uint64_t bytes;
	void *image;

	if (gv_co_read(data, size, &co, &err))
		return 0;
	bytes = gv_co_image_bytes(co);
	image = bytes <= 16 * GV_MIB ? malloc(bytes) : NULL;
	if (image)
		gv_co_image(co, 0x7f0000000000, image);
	for (unsigned i = 0; i < gv_co_kernels(co); i++) {
		const struct gv_co_kernel *k = gv_co_kernel_at(co, i);

		if (k->entry_off >= bytes || k->descriptor_off > bytes - 64 ||
		    memchr(k->name, 0, sizeof(k->name)) == NULL)
			abort();
	}
	free(image);
	gv_co_free(co);
	return 0;
}
