/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Part of every program of a TSan build. libvirt's client library and the glib under it are not
 * instrumented: TSan sees their memory accesses, but not the locks that order them.
 */
const char *__tsan_default_suppressions(void);

__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:libglib-2.0.so.0\ncalled_from_lib:libvirt.so.0\n"
	       "called_from_lib:libvirt-qemu.so.0\n";
}
