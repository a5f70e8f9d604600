/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VF tokens as text. */
#include <stdio.h>
#include <string.h>

#include <gv/vfio.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int gv_vfio_parse_uuid(const char *text, uint8_t uuid[16])
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	uint8_t out[16] = {0};
	unsigned nibble = 0;

	if (strlen(text) != sizeof(form) - 1)
		return -EINVAL;
	for (size_t i = 0; form[i]; i++) {
		if (form[i] == '-' ? text[i] != '-' : hex(text[i]) < 0)
			return -EINVAL;
		if (form[i] == 'x') {
			out[nibble / 2] = (uint8_t)(out[nibble / 2] << 4 | hex(text[i]));
			nibble++;
		}
	}
	memcpy(uuid, out, sizeof(out));
	return 0;
}

int gv_vfio_read_token(const char *path, uint8_t token[16], struct gv_err *err)
{
	char text[64] = "";
	FILE *f = fopen(path, "re");

	if (!f)
		return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	(void)fclose(f);
	text[strcspn(text, "\r\n")] = '\0';
	if (gv_vfio_parse_uuid(text, token))
		return gv_fail(err, -EINVAL, "%s: the first line is no UUID", path);
	return 0;
}
