/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's own schema is the judge. */
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <gv/hypervisor_glue.h>
#include <ut.h>

extern char **environ;

/* Exit status of virt-xml-validate, 127 when it cannot be run. */
static int validate(const char *file)
{
	char *argv[] = {(char *)"virt-xml-validate", (char *)file, (char *)"domain", NULL};
	int status = 0;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) || waitpid(pid, &status, 0) < 0)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}

static int validate_text(const char *xml)
{
	char path[] = "/tmp/gv-domain-XXXXXX";
	int fd = mkstemp(path), rc;

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, xml, strlen(xml)), (ssize_t)strlen(xml));
	close(fd);
	rc = validate(path);
	unlink(path);
	return rc;
}

static struct gv_glue_fn vf(void)
{
	return (struct gv_glue_fn){
	        .bdf = {0, 0xc1, 2, 5}, .is_vf = true, .vf_index = 13, .pf = {0, 0xc1, 0, 0}};
}

static void a_domain_with_a_hostdev_is_valid(void)
{
	struct gv_glue_domain d = {.name = "train-0",
	                           .type = "qemu",
	                           .emulator = "/usr/bin/qemu-system-x86_64",
	                           .kernel = "/boot/vmlinuz",
	                           .initrd = "/boot/initrd",
	                           .cmdline = "console=ttyS0 a=\"<b>\" & c"};
	struct gv_glue_fn fn = vf();
	char *xml;

	CU_ASSERT_EQUAL_FATAL(gv_glue_domain_xml(NULL, &fn, true, NULL, &xml, NULL), 0);
	CU_ASSERT_EQUAL(validate_text(xml), 0);
	free(xml);
	CU_ASSERT_EQUAL_FATAL(gv_glue_domain_xml(&d, &fn, false, "ua-my_vf", &xml, NULL), 0);
	CU_ASSERT_EQUAL(validate_text(xml), 0);
	free(xml);
}

static void a_domain_with_a_vfio_user_device_is_valid(void)
{
	struct gv_glue_vfio_user v = {.socket = "/run/gpuvisor/gpu/vf0.sock"};
	char *xml;

	CU_ASSERT_EQUAL_FATAL(gv_glue_vfio_user_domain_xml(NULL, &v, &xml, NULL), 0);
	CU_ASSERT_EQUAL(validate_text(xml), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(xml, "vfio-user-pci"));
	free(xml);
}

/* The judge must be able to say no. */
static void a_domain_that_is_wrong_is_not_valid(void)
{
	struct gv_glue_fn fn = vf();
	char *xml, *at;

	CU_ASSERT_EQUAL_FATAL(gv_glue_domain_xml(NULL, &fn, true, NULL, &xml, NULL), 0);
	at = strstr(xml, "subsystem");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	*at = 'x';
	CU_ASSERT_NOT_EQUAL(validate_text(xml), 0);
	free(xml);
}

int main(int argc, char **argv)
{
	static const struct ut_case cases[] = {UT(a_domain_with_a_hostdev_is_valid),
	                                       UT(a_domain_with_a_vfio_user_device_is_valid),
	                                       UT(a_domain_that_is_wrong_is_not_valid)};

	if (access("/usr/bin/virt-xml-validate", X_OK) || access("/usr/bin/xmllint", X_OK)) {
		puts("SKIP: virt-xml-validate or xmllint is missing: apt-get install "
		     "libvirt-clients libxml2-utils");
		return 77;
	}
	if (access("/usr/share/libvirt/schemas/domain.rng", R_OK)) {
		puts("SKIP: libvirt's schemas are missing: apt-get install libvirt0");
		return 77;
	}
	return ut_main(argc, argv, "hypervisor-glue validate", cases, GV_ARRAY_LEN(cases));
}
