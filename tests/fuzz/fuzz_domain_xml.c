/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a domain's XML: refused, or read and edited there and back. */
#include <stdlib.h>
#include <string.h>

#include <virt_xml.h>

#define ALIAS "ua-vf-0000-03-02-1"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct gv_glue_bdf vf = {0, 3, 2, 1};
static const char hostdev[] =
        "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' "
        "bus='0x03' slot='0x02' function='0x1'/></source><alias name='" ALIAS "'/></hostdev>";

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* Nothing of what we add survives its removal, and the rest does. */
static void edit(const char *xml, size_t before)
{
	const struct gv_virt_property token = {"vf-token", "00112233-4455-4677-8899-aabbccddeeff"};
	const struct gv_virt_property link = {"sysfsdev", "/run/\"<&> vf_token="};
	gv_auto_free char *with = NULL, *other = NULL, *without = NULL;
	gv_auto_free struct gv_virt_dev *devs = NULL;
	struct gv_virt_dev dev;
	size_t count = 0;

	if (gv_virt_xml_add(xml, hostdev, ALIAS, &token, &with, NULL))
		return; /* its prefix qemu is taken */
	require(!gv_virt_xml_find(with, &vf, &dev, NULL) && dev.how == GV_VIRT_OVERRIDE);
	require(gv_virt_xml_set_property(with, &vf, &token, &other, NULL) == -EALREADY);
	require(!gv_virt_xml_set_property(with, &vf, &link, &other, NULL));
	require(!strstr(other, token.value) || strstr(xml, token.value));
	require(!gv_virt_xml_remove(other, &vf, &without, NULL));
	require(!gv_virt_xml_devices(without, &devs, &count, NULL) && count == before);
}

static void note(const struct gv_virt_dev *devs, size_t count)
{
	gv_auto_free char *notes = NULL;

	require(!gv_virt_xml_metadata(devs, count, &notes, NULL));
	require(!notes || strstr(notes, "<device "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	gv_auto_free char *xml = size ? strndup((const char *)data, size) : NULL;
	gv_auto_free struct gv_virt_dev *devs = NULL;
	struct gv_virt_dev dev;
	struct gv_err err = {0};
	size_t count = 0;
	char bus[24];

	if (!xml)
		return 0;
	(void)gv_virt_xml_global_token(xml);
	if (gv_virt_xml_devices(xml, &devs, &count, &err)) {
		require(err.code && err.text[0] && !strchr(err.text, '\n'));
		return 0;
	}
	for (size_t i = 0; i < count; i++) /* libvirt and QEMU are told these */
		require(strlen(devs[i].alias) < GV_VIRT_ALIAS && strlen(devs[i].bus) < 24);
	note(devs, count);
	require(gv_virt_xml_free_port(xml, bus, sizeof(bus), NULL) || strlen(bus) < sizeof(bus));
	if (gv_virt_xml_find(xml, &vf, &dev, NULL) == -ENOENT)
		edit(xml, count);
	return 0;
}
