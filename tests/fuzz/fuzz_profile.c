/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a profile: refused with a message, or good and able to go there and back. */
#include <stdlib.h>
#include <string.h>

#include <gv/configs.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gv_err err = {0};
	struct gv_cfg cfg, again;
	char *json = NULL;

	if (gv_cfg_parse((const char *)data, size, &cfg, &err)) {
		if (!err.code || !err.text[0] || strchr(err.text, '\n'))
			abort(); /* an error says something, in one line */
		return 0;
	}
	if (gv_cfg_to_json(&cfg, &json))
		return 0;
	if (gv_cfg_parse(json, strlen(json), &again, NULL) || memcmp(&cfg, &again, sizeof(cfg)))
		abort();
	free(json);
	return 0;
}
