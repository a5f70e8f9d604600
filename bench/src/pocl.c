/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "bench.h"

#ifdef GV_WITH_OPENCL
#include <CL/cl.h>

struct bench_pocl {
	cl_context context;
	cl_command_queue queue;
	cl_program program;
	cl_mem buf[3];
};

/* PoCL's CPU device, not whatever else is installed. */
static int find_device(cl_device_id *device)
{
	cl_platform_id platform[8];
	cl_uint count = 0;

	if (clGetPlatformIDs(GV_ARRAY_LEN(platform), platform, &count))
		return -ENODEV;
	for (cl_uint i = 0; i < GV_MIN(count, (cl_uint)GV_ARRAY_LEN(platform)); i++) {
		char name[64] = "";

		(void)clGetPlatformInfo(platform[i], CL_PLATFORM_NAME, sizeof(name), name, NULL);
		if (strstr(name, "Portable Computing") &&
		    !clGetDeviceIDs(platform[i], CL_DEVICE_TYPE_CPU, 1, device, NULL))
			return 0;
	}
	return -ENODEV;
}

static int build(struct bench_pocl *p, cl_device_id device, struct gv_err *err)
{
	static char text[8192];
	const char *source = text;
	FILE *f = fopen(GV_SPEED_SOURCE, "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		(void)fclose(f);
	if (!n)
		return gv_fail(err, -ENOENT, "%s: not readable", GV_SPEED_SOURCE);
	text[n] = '\0';
	p->program = clCreateProgramWithSource(p->context, 1, &source, &n, NULL);
	if (!p->program || clBuildProgram(p->program, 1, &device, "", NULL, NULL))
		return gv_fail(err, -EIO, "PoCL does not build %s", GV_SPEED_SOURCE);
	return 0;
}

/* Contents do not matter for the time, but they must be there. */
static int fill(struct bench_pocl *p, size_t floats)
{
	const float one = 1;

	for (unsigned i = 0; i < GV_ARRAY_LEN(p->buf); i++) {
		p->buf[i] = clCreateBuffer(p->context, CL_MEM_READ_WRITE, floats * sizeof(float),
		                           NULL, NULL);
		if (!p->buf[i] || clEnqueueFillBuffer(p->queue, p->buf[i], &one, sizeof(one), 0,
		                                      floats * sizeof(float), 0, NULL, NULL))
			return -EIO;
	}
	return clFinish(p->queue) ? -EIO : 0;
}

int bench_pocl_new(size_t max_floats, struct bench_pocl **pocl, struct gv_err *err)
{
	struct bench_pocl *p = calloc(1, sizeof(*p));
	cl_device_id device;
	int rc = p ? 0 : -ENOMEM;

	(void)setenv("POCL_MAX_PTHREAD_COUNT", "1", 1);
	if (!rc && find_device(&device))
		rc = gv_fail(err, -ENODEV, "PoCL is not installed");
	if (!rc) {
		p->context = clCreateContext(NULL, 1, &device, NULL, NULL, NULL);
		p->queue = p->context ? clCreateCommandQueue(p->context, device, 0, NULL) : NULL;
		rc = p->queue ? build(p, device, err) : gv_fail(err, -EIO, "PoCL has no queue");
	}
	if (!rc && fill(p, max_floats))
		rc = gv_fail(err, -EIO, "PoCL has no memory");
	if (rc)
		p = bench_pocl_free(p);
	else
		*pocl = p;
	return rc;
}

int bench_pocl_run(struct bench_pocl *p, const char *kernel, unsigned n, const size_t items[2],
                   size_t group)
{
	const size_t local[2] = {group, 1};
	cl_kernel k = clCreateKernel(p->program, kernel, NULL);
	cl_int rc = k ? 0 : CL_INVALID_KERNEL;
	cl_uint arg = n;

	for (cl_uint i = 0; i < GV_ARRAY_LEN(p->buf) && !rc; i++)
		rc = clSetKernelArg(k, i, sizeof(p->buf[i]), &p->buf[i]);
	if (!rc)
		rc = clSetKernelArg(k, 3, sizeof(arg), &arg);
	if (!rc)
		rc = clEnqueueNDRangeKernel(p->queue, k, 2, NULL, items, local, 0, NULL, NULL);
	if (!rc)
		rc = clFinish(p->queue);
	if (k)
		(void)clReleaseKernel(k);
	return rc ? -EIO : 0;
}

struct bench_pocl *bench_pocl_free(struct bench_pocl *p)
{
	if (!p)
		return NULL;
	for (unsigned i = 0; i < GV_ARRAY_LEN(p->buf); i++)
		if (p->buf[i])
			(void)clReleaseMemObject(p->buf[i]);
	if (p->program)
		(void)clReleaseProgram(p->program);
	if (p->queue)
		(void)clReleaseCommandQueue(p->queue);
	if (p->context)
		(void)clReleaseContext(p->context);
	free(p);
	return NULL;
}

#else

int bench_pocl_new(size_t max_floats, struct bench_pocl **pocl, struct gv_err *err)
{
	(void)max_floats;
	(void)pocl;
	return gv_fail(err, -ENOSYS, "gv-bench was built without OpenCL");
}

int bench_pocl_run(struct bench_pocl *p, const char *kernel, unsigned n, const size_t items[2],
                   size_t group)
{
	(void)p;
	(void)kernel;
	(void)n;
	(void)items;
	(void)group;
	return -ENOSYS;
}

struct bench_pocl *bench_pocl_free(struct bench_pocl *p)
{
	(void)p;
	return NULL;
}
#endif
