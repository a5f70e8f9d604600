/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <gv/hypervisor_glue.h>

#define MAX_SLOT     31
#define MAX_FUNCTION 7

/* Exactly @digits lower- or upper-case hex digits at *@at; moves on. */
static bool take_hex(const char **at, unsigned digits, uint32_t *v)
{
	static const char hex[] = "0123456789abcdef0123456789ABCDEF";

	*v = 0;
	for (unsigned i = 0; i < digits; i++) {
		const char *found = **at ? strchr(hex, **at) : NULL;

		if (!found)
			return false;
		*v = *v << 4 | (uint32_t)((found - hex) % 16);
		(*at)++;
	}
	return true;
}

static bool take(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

int gv_glue_bdf_parse(const char *text, struct gv_glue_bdf *bdf)
{
	uint32_t domain, bus, slot, function;

	if (!take_hex(&text, 4, &domain) || !take(&text, ':') || !take_hex(&text, 2, &bus) ||
	    !take(&text, ':') || !take_hex(&text, 2, &slot) || !take(&text, '.') ||
	    !take_hex(&text, 1, &function) || *text || slot > MAX_SLOT || function > MAX_FUNCTION)
		return -EINVAL;
	*bdf = (struct gv_glue_bdf){domain, (uint8_t)bus, (uint8_t)slot, (uint8_t)function};
	return 0;
}

char *gv_glue_bdf_format(const struct gv_glue_bdf *bdf, char *text)
{
	(void)snprintf(text, GV_GLUE_BDF_TEXT, "%04x:%02x:%02x.%x", bdf->domain & 0xffff, bdf->bus,
	               bdf->slot & MAX_SLOT, bdf->function & MAX_FUNCTION);
	return text;
}
