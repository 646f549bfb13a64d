/* Block devices made of files, for who may. After cmocka.h. */
#ifndef TESTS_UNIT_LOOP_DEVICE_H
#define TESTS_UNIT_LOOP_DEVICE_H

#include <fcntl.h>
#include <linux/loop.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A device of the image, which nobody may write to if it is readonly; false: there can be none. */
static inline bool loop_device_attach(const char *image, bool readonly, char path[32])
{
	int mode = readonly ? O_RDONLY : O_RDWR;
	int control = open("/dev/loop-control", O_RDWR), number = -1, device, file;
	bool attached;

	if (control >= 0)
		number = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	if (number < 0)
		return false;
	snprintf(path, 32, "/dev/loop%d", number);
	device = open(path, mode);
	file = open(image, mode);
	attached = ioctl(device, LOOP_SET_FD, file) == 0;
	close(file);
	close(device);
	return attached;
}

/* One of its ioctls without an argument. */
static inline int loop_device_call(const char *path, unsigned long call)
{
	int device = open(path, O_RDONLY | O_CLOEXEC), r = ioctl(device, call);

	close(device);
	return r;
}

static inline void loop_device_detach(const char *path)
{
	assert_int_equal(loop_device_call(path, LOOP_CLR_FD), 0);
}

#endif
