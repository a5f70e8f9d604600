/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <gv/hypervisor_glue.h>
#include <ut.h>

static struct gv_glue_fn vf(void)
{
	return (struct gv_glue_fn){
	        .bdf = {0, 1, 2, 0}, .is_vf = true, .vf_index = 3, .pf = {0, 1, 0, 0}};
}

static void hostdev_is_the_xml_libvirt_documents(void)
{
	struct gv_glue_fn fn = vf();
	char *xml = NULL;

	CU_ASSERT_EQUAL_FATAL(gv_glue_hostdev_xml(&fn, true, "ua-vf0", &xml, NULL), 0);
	CU_ASSERT_STRING_EQUAL(xml, "<hostdev mode=\"subsystem\" type=\"pci\" managed=\"yes\">\n"
	                            "  <driver name=\"vfio\"/>\n"
	                            "  <source>\n"
	                            "    <address domain=\"0x0000\" bus=\"0x01\" slot=\"0x02\" "
	                            "function=\"0x0\"/>\n"
	                            "  </source>\n"
	                            "  <alias name=\"ua-vf0\"/>\n"
	                            "</hostdev>\n");
	free(xml);
	CU_ASSERT_EQUAL_FATAL(gv_glue_hostdev_xml(&fn, false, NULL, &xml, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(xml, "managed=\"no\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(xml, "ua-vf3"));
	free(xml);
}

static void only_vfs_and_aliases_that_libvirt_takes_are_possible(void)
{
	static const char *const bad[] = {"",        "vf0",  "ua-",     "ua-a b",
	                                  "ua-a\"b", "ua-ä", "ua-<x/>", "ua-a.b"};
	struct gv_glue_fn fn = vf();
	char *xml = NULL;
	struct gv_err err;

	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++)
		CU_ASSERT_EQUAL(gv_glue_hostdev_xml(&fn, true, bad[i], &xml, &err), -EINVAL);
	fn.is_vf = false;
	CU_ASSERT_EQUAL(gv_glue_hostdev_xml(&fn, true, NULL, &xml, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "0000:01:02.0"));
	CU_ASSERT_PTR_NULL(xml);
}

static void text_cannot_break_out_of_its_place(void)
{
	struct gv_glue_domain d = {.name = "a<b>&\"'", .cmdline = "x=\"<hostdev>\" &amp;"};
	struct gv_glue_fn fn = vf();
	char *xml = NULL;

	CU_ASSERT_EQUAL_FATAL(gv_glue_domain_xml(&d, &fn, true, NULL, &xml, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(xml, "<name>a&lt;b&gt;&amp;&quot;'</name>"));
	CU_ASSERT_PTR_NOT_NULL(strstr(xml, "&lt;hostdev&gt;"));
	/* the first controller, else libvirt takes a port for the root and refuses */
	CU_ASSERT_PTR_NOT_NULL(strstr(xml, "index=\"0\" model=\"pcie-root\"/>\n    <controller"));
	CU_ASSERT_PTR_NOT_NULL(strstr(xml, "&amp;amp;"));
	free(xml);
	xml = NULL;
	d.name = "a\x01"
	         "b";
	CU_ASSERT_EQUAL(gv_glue_domain_xml(&d, &fn, true, NULL, &xml, NULL), -EINVAL);
	d.name = "a\xff";
	CU_ASSERT_EQUAL(gv_glue_domain_xml(&d, &fn, true, NULL, &xml, NULL), -EINVAL);
	d.name = "a/b";
	CU_ASSERT_EQUAL(gv_glue_domain_xml(&d, &fn, true, NULL, &xml, NULL), -EINVAL);
	CU_ASSERT_PTR_NULL(xml);
}

static void qemu_gets_shared_memory_and_the_device(void)
{
	struct gv_glue_vfio_user v = {.socket = "/run/a \"b\\c,d", .bus = "rp1", .memory_mib = 512};
	char **argv = NULL;

	CU_ASSERT_EQUAL_FATAL(gv_glue_qemu_args(&v, &argv, NULL), 0);
	CU_ASSERT_STRING_EQUAL(argv[0], "-m");
	CU_ASSERT_STRING_EQUAL(argv[1], "512M");
	CU_ASSERT_STRING_EQUAL(argv[3], "memory-backend-memfd,id=gpuvisor-mem,size=512M,share=on");
	CU_ASSERT_STRING_EQUAL(argv[5], "memory-backend=gpuvisor-mem");
	CU_ASSERT_STRING_EQUAL(argv[6], "-device");
	CU_ASSERT_STRING_EQUAL(argv[7],
	                       "{\"driver\":\"vfio-user-pci\",\"id\":\"gpuvisor0\",\"bus\":\"rp1\","
	                       "\"socket\":{\"type\":\"unix\",\"path\":\"/run/a \\\"b\\\\c,d\"}}");
	CU_ASSERT_PTR_NULL(argv[8]);
	CU_ASSERT_PTR_NULL(gv_glue_argv_free(argv));
	CU_ASSERT_PTR_NULL(gv_glue_argv_free(NULL));
}

static void sockets_and_names_that_cannot_be_passed_on_are_refused(void)
{
	struct gv_glue_vfio_user v = {.socket = NULL};
	char longest[128], **argv = NULL, *xml = NULL;

	CU_ASSERT_EQUAL(gv_glue_qemu_args(&v, &argv, NULL), -EINVAL);
	v.socket = "relative.sock";
	CU_ASSERT_EQUAL(gv_glue_qemu_args(&v, &argv, NULL), -EINVAL);
	v.socket = "/a\nb";
	CU_ASSERT_EQUAL(gv_glue_vfio_user_domain_xml(NULL, &v, &xml, NULL), -EINVAL);
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[108] = '\0';
	v.socket = longest;
	CU_ASSERT_EQUAL(gv_glue_qemu_args(&v, &argv, NULL), -EINVAL);
	memset(longest + 1, '"', 106);
	longest[107] = '\0';
	CU_ASSERT_EQUAL_FATAL(gv_glue_qemu_args(&v, &argv, NULL), 0);
	(void)gv_glue_argv_free(argv);
	v.socket = "/a";
	v.id = "0";
	CU_ASSERT_EQUAL(gv_glue_qemu_args(&v, &argv, NULL), -EINVAL);
	v.id = NULL;
	v.bus = "a,b";
	CU_ASSERT_EQUAL(gv_glue_qemu_args(&v, &argv, NULL), -EINVAL);
}

UT_MAIN("hypervisor-glue xml", UT(hostdev_is_the_xml_libvirt_documents),
        UT(only_vfs_and_aliases_that_libvirt_takes_are_possible),
        UT(text_cannot_break_out_of_its_place), UT(qemu_gets_shared_memory_and_the_device),
        UT(sockets_and_names_that_cannot_be_passed_on_are_refused))
