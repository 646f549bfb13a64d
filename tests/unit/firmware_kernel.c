/* A kernel for UEFI firmware: what is put into fw_cfg, and which files are none. */
#include "core/boot/firmware.h"

#include <errno.h>

#include "fake_fw_cfg.h"
#include "scratch.h"

/* An EFI program's headers, as far as they are looked at. */
#define PE_AT 0x80
static const uint8_t program[PE_AT + 8] = {
	[0] = 'M', [1] = 'Z', [60] = PE_AT, [PE_AT] = 'P', [PE_AT + 1] = 'E', [PE_AT + 4] = 0x64,
};

struct fixture {
	struct fake_fw_cfg fw;
	struct guest_memory memory;
	struct scratch scratch;
	char kernel[128], initrd[128], cmdline[32];
	struct cause cause;
	char found[256]; /* what a check told */
};

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	if (scratch_create(&f.scratch) < 0)
		return -1;
	fake_fw_cfg_create(&f.fw, &f.memory);
	snprintf(f.kernel, sizeof(f.kernel), "%s/kernel", f.scratch.folder);
	snprintf(f.initrd, sizeof(f.initrd), "%s/initrd", f.scratch.folder);
	scratch_write(f.kernel, program, sizeof(program));
	scratch_write(f.initrd, "initrd", 6);
	f.fw.profile.firmware = FIRMWARE_UEFI;
	f.fw.profile.memory = 16u << 20;
	f.fw.profile.kernel = f.kernel;
	f.fw.profile.cmdline = f.cmdline;
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = { "kernel", "initrd", NULL };
	struct fixture *f = *state;

	fake_fw_cfg_destroy(&f->fw);
	return scratch_remove(&f->scratch, files);
}

static int add(struct fixture *f)
{
	const struct device_set devices = { .host = f->fw.host };

	return firmware_add_kernel(&devices, &f->cause);
}

/* To a device that is gone afterwards. */
static int try_to_add(struct fixture *f)
{
	struct device_set devices = { 0 };
	struct fake_fw_cfg other;
	int err;

	fake_fw_cfg_create(&other, &f->memory);
	devices.host = other.host;
	other.profile = f->fw.profile;
	err = firmware_add_kernel(&devices, &f->cause);
	fake_fw_cfg_destroy(&other);
	return err;
}

static void expect_item(struct fixture *f, enum fw_cfg_key size_key, enum fw_cfg_key data_key,
			const void *expected, uint32_t size)
{
	uint8_t data[256];
	uint32_t given = 0;

	select_key(&f->fw, (uint16_t)size_key);
	read_bytes(&f->fw, &given, sizeof(given));
	assert_int_equal(given, size);
	select_key(&f->fw, (uint16_t)data_key);
	read_bytes(&f->fw, data, size + 1);
	assert_memory_equal(data, expected, size);
	assert_int_equal(data[size], 0);
}

static void all_three_are_given(void **state)
{
	struct fixture *f = *state;

	f->fw.profile.initrd = f->initrd;
	strcpy(f->cmdline, "console=ttyS0");
	assert_int_equal(add(f), 0);
	expect_item(f, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA, program, sizeof(program));
	expect_item(f, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA, "initrd", 6);
	expect_item(f, FW_CFG_CMDLINE_SIZE, FW_CFG_CMDLINE_DATA, "console=ttyS0", 14);
}

static void a_kernel_needs_nothing_else(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add(f), 0);
	expect_item(f, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA, program, sizeof(program));
	expect_item(f, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA, "", 0);
	expect_item(f, FW_CFG_CMDLINE_SIZE, FW_CFG_CMDLINE_DATA, "", 1);
}

static void none_is_none(void **state)
{
	struct fixture *f = *state;

	f->fw.profile.kernel = NULL;
	assert_int_equal(add(f), 0);
	expect_item(f, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA, "", 0);
}

static void take_finding(void *arg, const char *section, const char *key, bool warning,
			 const char *text)
{
	struct fixture *f = arg;

	assert_string_equal(section, "boot");
	snprintf(f->found, sizeof(f->found), "%s%s: %s", warning ? "warning: " : "", key, text);
}

/* A start and a check say the same. */
static void expect_refused(struct fixture *f, const char *key, const char *text)
{
	const struct profile_check check = { .profile = &f->fw.profile, .found = take_finding,
					     .arg = f };

	*f->found = '\0';
	assert_true(try_to_add(f) < 0);
	firmware_check_kernel(&check);
	if (strncmp(f->found, key, strlen(key)) || !strstr(f->found, text) ||
	    !strstr(f->found, f->cause.text))
		fail_msg("'%s', and '%s' by a check", f->cause.text, f->found);
}

static void what_is_no_efi_program_is_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t other[sizeof(program)];

	f->fw.profile.kernel = f->initrd;
	expect_refused(f, "kernel: ", "not a program for UEFI; name a bzImage");
	f->fw.profile.kernel = f->kernel;
	memcpy(other, program, sizeof(other));
	other[63] = 0xff; /* its header is beyond the end */
	scratch_write(f->kernel, other, sizeof(other));
	expect_refused(f, "kernel: ", "not a program for UEFI; name a bzImage");
	other[63] = 0;
	other[PE_AT] = 'N';
	scratch_write(f->kernel, other, sizeof(other));
	expect_refused(f, "kernel: ", "not a program for UEFI; name a bzImage");
	unlink(f->kernel);
	expect_refused(f, "kernel: ", "No such file");
	scratch_write(f->kernel, program, sizeof(program));
	f->fw.profile.initrd = f->scratch.folder;
	expect_refused(f, "initrd: ", "not a regular file");
}

static void what_does_not_fit_is_refused(void **state)
{
	struct fixture *f = *state;

	f->fw.profile.initrd = f->initrd;
	assert_int_equal(truncate(f->initrd, 16 << 20), 0);
	expect_refused(f, "initrd: ", "has 16 MiB and does not fit into the guest's memory");
	assert_int_equal(truncate(f->initrd, 1ll << 40), 0);
	expect_refused(f, "initrd: ", "has 1048576 MiB and does not fit");
}

static void a_strange_command_line_is_warned_of(void **state)
{
	struct fixture *f = *state;
	const struct profile_check check = { .profile = &f->fw.profile, .found = take_finding,
					     .arg = f };

	strcpy(f->cmdline, "acpi=off");
	firmware_check_kernel(&check);
	assert_memory_equal(f->found, "warning: cmdline: ", 18);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_three_are_given),
		TEST(a_kernel_needs_nothing_else),
		TEST(none_is_none),
		TEST(what_is_no_efi_program_is_refused),
		TEST(what_does_not_fit_is_refused),
		TEST(a_strange_command_line_is_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
