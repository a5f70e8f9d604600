/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <ut.h>
#include <virt_xml.h>

#define HEAD "<domain type='kvm'><name>a</name>"
#define HOSTDEV(bus, slot, alias)                                                                  \
	"<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/><source>"         \
	"<address domain='0x0000' bus='" bus "' slot='" slot                                       \
	"' function='0x0'/></source><alias name='" alias "'/></hostdev>"
#define PORT(index) "<controller type='pci' index='" index "' model='pcie-root-port'/>"
#define ON_BUS(bus)                                                                                \
	"<video><address type='pci' domain='0x0000' bus='" bus                                     \
	"' slot='0x00' function='0x0'/></video>"

static const struct gv_glue_bdf vf0 = {0, 3, 2, 0}, vf1 = {0, 3, 3, 0}, other = {0, 9, 0, 0};
static const struct gv_virt_property token = {"vf-token", "u-1"};

static unsigned times(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what))) {
		n++;
		text++;
	}
	return n;
}

static void functions_are_found_and_other_devices_are_not(void)
{
	static const char xml[] =
	        HEAD "<devices><hostdev mode='subsystem' type='usb'/>"
	             "<hostdev mode='capabilities' type='pci'/>"
	             "<hostdev mode='subsystem' type='pci'><source/></hostdev>" HOSTDEV(
	                     "0x03", "0x02",
	                     "ua-a") "<hostdev mode='subsystem' type='pci'><source>"
	                             "<address bus='3' slot='3' function='0'/></source></hostdev>"
	                             "</devices></domain>";
	struct gv_virt_dev *devs = NULL;
	size_t count = 0;

	CU_ASSERT_EQUAL_FATAL(gv_virt_xml_devices(xml, &devs, &count, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(count, 2);
	CU_ASSERT(gv_virt_same_bdf(&devs[0].bdf, &vf0) && gv_virt_same_bdf(&devs[1].bdf, &vf1));
	CU_ASSERT_STRING_EQUAL(devs[0].alias, "ua-a");
	CU_ASSERT(devs[0].managed && !devs[1].managed);
	CU_ASSERT_EQUAL(devs[0].how, GV_VIRT_HOSTDEV);
	free(devs);
}

static void what_is_no_domain_is_refused(void)
{
	static const char *const bad[] = {
	        "",
	        "domain",
	        "<domain>",
	        "<network/>",
	        "<domain/><domain/>",
	        "<x:domain xmlns:x='urn:x'/>",
	        "<!DOCTYPE domain [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><domain>&e;</domain>",
	        "<!DOCTYPE domain [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><domain n='&b;'/>",
	        "<domain>&nobody;</domain>",
	        "<domain><qemu:override/></domain>",
	};
	struct gv_virt_dev *devs = NULL;
	struct gv_err err;
	size_t count = 7;
	char *out = NULL;

	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++) {
		CU_ASSERT_EQUAL(gv_virt_xml_devices(bad[i], &devs, &count, &err), -EPROTO);
		CU_ASSERT_EQUAL(gv_virt_xml_remove(bad[i], &vf0, &out, &err), -EPROTO);
	}
	CU_ASSERT_EQUAL(count, 7);
	CU_ASSERT_EQUAL(gv_virt_xml_add(HEAD "</domain>", "<disk/>", "ua-a", NULL, &out, &err),
	                -EPROTO);
	CU_ASSERT_PTR_NULL(out);
}

static void addresses_that_cannot_be_are_no_functions(void)
{
	static const char *const bad[][2] = {{"0x100", "0x02"}, {"0x03", "0x20"}, {"", "0x02"},
	                                     {"-1", "0x02"},    {"0x03x", "0"},   {"3 ", "0"}};
	char xml[600];

	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++) {
		struct gv_virt_dev *devs = NULL;
		size_t count = 7;

		(void)snprintf(xml, sizeof(xml),
		               HEAD "<devices>" HOSTDEV("%s", "%s", "x") "</devices></domain>",
		               bad[i][0], bad[i][1]);
		CU_ASSERT_EQUAL(gv_virt_xml_devices(xml, &devs, &count, NULL), 0);
		CU_ASSERT_EQUAL(count, 0);
		free(devs);
	}
}

static void add_then_remove_leaves_nothing_behind(void)
{
	static const char xml[] =
	        HEAD "<devices>" HOSTDEV("0x09", "0x00", "ua-o") "</devices></domain>";
	char *with = NULL, *without = NULL;
	struct gv_virt_dev dev;

	CU_ASSERT_EQUAL_FATAL(
	        gv_virt_xml_add(xml, HOSTDEV("0x03", "0x02", "ua-a"), "ua-a", &token, &with, NULL),
	        0);
	CU_ASSERT_EQUAL(times(with, "<hostdev"), 2);
	CU_ASSERT_EQUAL(gv_virt_xml_find(with, &vf0, &dev, NULL), 0);
	CU_ASSERT_EQUAL(dev.how, GV_VIRT_OVERRIDE);
	CU_ASSERT_EQUAL(gv_virt_xml_find(with, &other, &dev, NULL), 0);
	CU_ASSERT_EQUAL(dev.how, GV_VIRT_HOSTDEV);
	CU_ASSERT_PTR_NOT_NULL(
	        strstr(with, "<qemu:property name=\"vf-token\" type=\"string\" value=\"u-1\"/>"));
	CU_ASSERT_EQUAL_FATAL(gv_virt_xml_remove(with, &vf0, &without, NULL), 0);
	CU_ASSERT_EQUAL(times(without, "<hostdev"), 1);
	CU_ASSERT_EQUAL(times(without, "qemu:override"), 0);
	free(with);
	CU_ASSERT_EQUAL(gv_virt_xml_remove(without, &vf0, &with, NULL), -ENOENT);
	free(without);
}

static void removing_one_keeps_the_others_override(void)
{
	char *one = NULL, *two = NULL, *less = NULL;

	CU_ASSERT_EQUAL_FATAL(gv_virt_xml_add(HEAD "</domain>", HOSTDEV("3", "2", "ua-a"), "ua-a",
	                                      &token, &one, NULL),
	                      0);
	CU_ASSERT_EQUAL_FATAL(
	        gv_virt_xml_add(one, HOSTDEV("3", "3", "ua-b"), "ua-b", &token, &two, NULL), 0);
	CU_ASSERT_EQUAL(times(two, "<qemu:override"), 1);
	CU_ASSERT_EQUAL_FATAL(gv_virt_xml_remove(two, &vf0, &less, NULL), 0);
	CU_ASSERT_EQUAL(times(less, "alias=\"ua-a\""), 0);
	CU_ASSERT_EQUAL(times(less, "alias=\"ua-b\""), 1);
	free(one);
	free(two);
	free(less);
}

static void a_new_token_replaces_the_old_one(void)
{
	struct gv_virt_property link = {"sysfsdev", "/run/x/0000:03:02.0 vf_token=u-2"};
	char *one = NULL, *two = NULL;

	CU_ASSERT_EQUAL_FATAL(gv_virt_xml_add(HEAD "</domain>", HOSTDEV("3", "2", "ua-a"), "ua-a",
	                                      &token, &one, NULL),
	                      0);
	CU_ASSERT_EQUAL(gv_virt_xml_set_property(one, &vf0, &token, &two, NULL), -EALREADY);
	CU_ASSERT_EQUAL(gv_virt_xml_set_property(one, &vf1, &link, &two, NULL), -ENOENT);
	CU_ASSERT_EQUAL_FATAL(gv_virt_xml_set_property(one, &vf0, &link, &two, NULL), 0);
	CU_ASSERT_PTR_NULL(strstr(two, "u-1"));
	CU_ASSERT_PTR_NOT_NULL(strstr(two, "value=\"/run/x/0000:03:02.0 vf_token=u-2\""));
	free(one);
	free(two);
}

static void an_override_that_was_left_behind_is_replaced(void)
{
	static const char left[] =
	        "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:override>"
	        "<q:device alias='ua-a'><q:frontend><q:property name='vf-token' type='string' "
	        "value='u-0'/></q:frontend></q:device></q:override></domain>";
	char *out = NULL;

	CU_ASSERT_EQUAL_FATAL(
	        gv_virt_xml_add(left, HOSTDEV("3", "2", "ua-a"), "ua-a", &token, &out, NULL), 0);
	CU_ASSERT_PTR_NULL(strstr(out, "u-0"));
	CU_ASSERT_EQUAL(times(out, "<q:device alias="), 1);
	CU_ASSERT_EQUAL(times(out, "value=\"u-1\""), 1);
	free(out);
}

static void text_cannot_break_out_of_its_attribute(void)
{
	struct gv_virt_property nasty = {"vf-token", "\"/><x y='&"};
	char *out = NULL;

	CU_ASSERT_EQUAL_FATAL(gv_virt_xml_add(HEAD "</domain>", HOSTDEV("3", "2", "ua-a"), "ua-a",
	                                      &nasty, &out, NULL),
	                      0);
	CU_ASSERT_PTR_NULL(strstr(out, "<x"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "&quot;/&gt;&lt;x y='&amp;"));
	free(out);
}

static void a_global_token_is_an_argument_after_global(void)
{
#define ARGS(a, b)                                                                                 \
	"<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:commandline>"       \
	"<qemu:arg value='" a "'/><qemu:arg value='" b "'/></qemu:commandline></domain>"
	CU_ASSERT(gv_virt_xml_global_token(ARGS("-global", "vfio-pci.vf-token=u")));
	CU_ASSERT(!gv_virt_xml_global_token(ARGS("-set", "vfio-pci.vf-token=u")));
	CU_ASSERT(!gv_virt_xml_global_token(ARGS("-global", "vfio-pci.x-foo=u")));
	CU_ASSERT(!gv_virt_xml_global_token(HEAD "</domain>"));
}

static void a_free_port_has_neither_libvirts_devices_nor_ours(void)
{
	struct gv_virt_dev dev = {.bdf = vf0, .how = GV_VIRT_MONITOR, .bus = "pci.2"};
	gv_auto_free char *notes = NULL;
	char bus[16] = "", xml[2048];
	struct gv_err err;

	CU_ASSERT_EQUAL_FATAL(gv_virt_xml_metadata(&dev, 1, &notes, NULL), 0);
	CU_ASSERT_EQUAL(gv_virt_xml_free_port(HEAD "<devices>" PORT("1") PORT("2")
	                                              ON_BUS("0x01") "</devices></domain>",
	                                      bus, sizeof(bus), &err),
	                0);
	CU_ASSERT_STRING_EQUAL(bus, "pci.2");
	(void)snprintf(xml, sizeof(xml),
	               HEAD
	               "<metadata><g:devices xmlns:g='" GV_VIRT_META_NS
	               "'><g:device address='0000:03:02.0' bus='pci.2'/></g:devices></metadata>"
	               "<devices>" PORT("1") PORT("2") "%s" ON_BUS("0x01") "</devices></domain>",
	               PORT("3"));
	CU_ASSERT_EQUAL(gv_virt_xml_free_port(xml, bus, sizeof(bus), &err), 0);
	CU_ASSERT_STRING_EQUAL(bus, "pci.3");
	CU_ASSERT_EQUAL(gv_virt_xml_free_port(HEAD "<devices>" PORT("1")
	                                              ON_BUS("0x01") "</devices></domain>",
	                                      bus, sizeof(bus), &err),
	                -ENOSPC);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "pcie-root-port"));
}

/* Notes are a domain's author's to write: an id of his must not reach the monitor. */
static void notes_are_read_strictly(void)
{
	static const char xml[] = HEAD
	        "<metadata><g:devices xmlns:g='" GV_VIRT_META_NS "'>"
	        "<g:device address='0000:03:02.0' id='virtio-disk0' bus='pci.4' managed='yes'/>"
	        "<g:device address='../../x'/><device address='0000:03:03.0'/></g:devices>"
	        "<devices><device address='0000:03:03.0'/></devices></metadata></domain>";
	struct gv_virt_dev *devs = NULL;
	gv_auto_free char *notes = NULL;
	size_t count = 0;

	CU_ASSERT_EQUAL_FATAL(gv_virt_xml_devices(xml, &devs, &count, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(count, 1);
	CU_ASSERT_EQUAL(devs[0].how, GV_VIRT_MONITOR);
	CU_ASSERT_STRING_EQUAL(devs[0].alias, "gv-vfio-0000-03-02-0");
	CU_ASSERT_STRING_EQUAL(devs[0].bus, "pci.4");
	CU_ASSERT(devs[0].managed);
	CU_ASSERT_EQUAL(gv_virt_xml_metadata(devs, 0, &notes, NULL), 0);
	CU_ASSERT_PTR_NULL(notes);
	free(devs);
}

UT_MAIN("virt_xml", UT(functions_are_found_and_other_devices_are_not),
        UT(what_is_no_domain_is_refused), UT(addresses_that_cannot_be_are_no_functions),
        UT(add_then_remove_leaves_nothing_behind), UT(removing_one_keeps_the_others_override),
        UT(a_new_token_replaces_the_old_one), UT(an_override_that_was_left_behind_is_replaced),
        UT(text_cannot_break_out_of_its_attribute), UT(a_global_token_is_an_argument_after_global),
        UT(a_free_port_has_neither_libvirts_devices_nor_ours), UT(notes_are_read_strictly))
