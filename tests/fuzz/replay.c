/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* main() of a fuzz target without libFuzzer: runs every file of the given corpus folders. */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(1 << 20);
	size_t n;

	if (!f || !data) {
		perror(path);
		exit(1);
	}
	n = fread(data, 1, 1 << 20, f);
	(void)fclose(f);
	(void)LLVMFuzzerTestOneInput(data, n);
	free(data);
	return 1;
}

static int replay_dir(const char *dir)
{
	DIR *d = opendir(dir);
	int count = 0;

	if (!d)
		return 0;
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		char path[PATH_MAX];

		(void)snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_name[0] != '.')
			count += replay(path);
	}
	(void)closedir(d);
	return count;
}

int main(int argc, char **argv)
{
	int count = 0;

	for (int i = 1; i < argc; i++)
		count += replay_dir(argv[i]);
	(void)LLVMFuzzerTestOneInput(NULL, 0);
	printf("%d inputs replayed\n", count);
	return count > 0 ? 0 : 1; /* an empty corpus tests nothing */
}
