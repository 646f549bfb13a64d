/* The firmware configuration device, read as SeaBIOS and Linux read it. */
#include "core/hw/fw_cfg.h"

#include "fake_fw_cfg.h"

#define MEMORY_SIZE 0x100000u
#define ACCESS 0x1000u /* where the guest describes a transfer */
#define BUFFER 0x2000u

#define ERROR 1u
#define READ 2u
#define SKIP 4u
#define SELECT(key) (8u | (uint32_t)(key) << 16)
#define WRITE 16u

struct fixture {
	struct fake_fw_cfg fw;
	struct guest_memory memory;
};

static void create(struct fixture *f)
{
	fake_fw_cfg_create(&f->fw, &f->memory);
	assert_int_equal(fw_cfg_add(f->fw.host.fw_cfg, FW_CFG_NB_CPUS, "\3", 2, NULL), 0);
	assert_int_equal(fw_cfg_add_file(f->fw.host.fw_cfg, "etc/one", "abcdefgh", 8, NULL), 0);
	assert_int_equal(fw_cfg_add_file(f->fw.host.fw_cfg, "etc/empty", "", 0, NULL), 0);
}

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){ 0 };
	if (memory_create(&fixture.memory, MEMORY_SIZE, NULL))
		return -1;
	create(&fixture);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fake_fw_cfg_destroy(&f->fw);
	memory_destroy(&f->memory);
	return 0;
}

/* What is left in the control field. */
static uint32_t dma(struct fixture *f, uint32_t control, uint32_t length, uint64_t address)
{
	struct {
		uint32_t control, length;
		uint64_t address;
	} access = { htobe32(control), htobe32(length), htobe64(address) };

	assert_int_equal(memory_write(&f->memory, ACCESS, &access, sizeof(access)), 0);
	fake_write(&f->fw.io, 8, htobe32(ACCESS), 4);
	memcpy(&access, memory_at(&f->memory, ACCESS, sizeof(access)), sizeof(access));
	return be32toh(access.control);
}

static void it_is_found_by_its_signatures(void **state)
{
	struct fixture *f = *state;
	char text[4];
	uint32_t id;

	select_key(&f->fw, FW_CFG_SIGNATURE);
	read_bytes(&f->fw, text, 4);
	assert_memory_equal(text, "QEMU", 4);
	select_key(&f->fw, FW_CFG_ID);
	read_bytes(&f->fw, &id, 4);
	assert_int_equal(id, 3);
	assert_int_equal(fake_read(&f->fw.io, 4, 4), htobe32(0x51454d55));
	assert_int_equal(fake_read(&f->fw.io, 8, 4), htobe32(0x20434647));
	assert_false(fw_cfg_device.wanted(&(struct profile){ 0 }, 0));
	assert_true(fw_cfg_device.wanted(&f->fw.profile, 0));
}

static void items_end_with_zeros(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[4] = { 1, 1, 1, 1 };

	select_key(&f->fw, FW_CFG_NB_CPUS);
	read_bytes(&f->fw, bytes, 4);
	assert_memory_equal(bytes, "\3\0\0\0", 4);
	for (uint32_t key = 0; key <= 0xffff; key += 0x7ff) {
		select_key(&f->fw, (uint16_t)key | 0x30);
		assert_int_equal(in(&f->fw.io, 1), 0);
	}
	/* The selector cannot be read, and is 16 bits. */
	select_key(&f->fw, FW_CFG_NB_CPUS);
	out(&f->fw.io, 0, FW_CFG_SIGNATURE);
	assert_int_equal(fake_read(&f->fw.io, 0, 2), 0);
	assert_int_equal(in(&f->fw.io, 1), 3);
}

static void files_are_in_the_directory(void **state)
{
	struct fixture *f = *state;
	uint32_t count;
	char data[9];

	select_key(&f->fw, FW_CFG_FILE_DIR);
	read_bytes(&f->fw, &count, 4);
	assert_int_equal(be32toh(count), 2);
	assert_int_equal(select_file(&f->fw, "etc/empty"), 0);
	assert_int_equal(select_file(&f->fw, "etc/one"), 8);
	read_bytes(&f->fw, data, 9);
	assert_string_equal(data, "abcdefgh");
}

static void transfers_go_to_memory(void **state)
{
	struct fixture *f = *state;
	char *buffer = memory_at(&f->memory, BUFFER, 16);

	memset(buffer, 'x', 16);
	assert_int_equal(dma(f, SELECT(FW_CFG_FILES) | READ, 3, BUFFER), 0);
	assert_memory_equal(buffer, "abcx", 4);
	assert_int_equal(dma(f, SKIP, 2, 0), 0);
	assert_int_equal(dma(f, READ, 8, BUFFER), 0);
	assert_memory_equal(buffer, "fgh\0\0\0\0\0x", 9);
	assert_int_equal(dma(f, SELECT(FW_CFG_FILES), 0, 0), 0);
	assert_int_equal(in(&f->fw.io, 1), 'a');
	/* Behind the end by as much as can be said, and again. */
	assert_int_equal(dma(f, SKIP, 0xffffffff, 0), 0);
	assert_int_equal(dma(f, SKIP, 0xffffffff, 0), 0);
	assert_int_equal(dma(f, READ, 2, BUFFER), 0);
	assert_memory_equal(buffer, "\0\0h", 3);
}

static void bad_transfers_are_refused(void **state)
{
	static const struct {
		uint32_t control, length;
		uint64_t address;
	} cases[] = {
		{ SELECT(FW_CFG_FILES) | READ, 2, MEMORY_SIZE - 1 },
		{ SELECT(FW_CFG_FILES) | READ, 2, MEMORY_SIZE },
		{ SELECT(FW_CFG_FILES) | READ, 2, UINT64_MAX },
		{ SELECT(FW_CFG_FILES) | READ, 0xffffffff, 0 },
		{ SELECT(FW_CFG_FILES) | WRITE, 2, BUFFER },
	};
	struct fixture *f = *state;
	char *buffer = memory_at(&f->memory, BUFFER, 4);

	memcpy(buffer, "zzzz", 4);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(dma(f, cases[i].control, cases[i].length, cases[i].address), ERROR);
	assert_memory_equal(buffer, "zzzz", 4);
	assert_int_equal(in(&f->fw.io, 1), 'a');
	/* A description that is nowhere is nothing. */
	fake_write(&f->fw.io, 4, htobe32(1), 4);
	fake_write(&f->fw.io, 8, htobe32(ACCESS), 4);
	fake_write(&f->fw.io, 8, htobe32(MEMORY_SIZE - 8), 4);
	fake_write(&f->fw.io, 6, 0, 4);
	fake_write(&f->fw.io, 8, 0, 1);
}

static void there_is_an_end_of_files(void **state)
{
	struct fixture *f = *state;
	struct cause cause;
	unsigned count = 2;

	while (fw_cfg_add_file(f->fw.host.fw_cfg, "etc/more", "m", 1, &cause) == 0)
		count++;
	assert_int_equal(count, FW_CFG_FILES_MAX);
	assert_non_null(strstr(cause.text, "etc/more: no room"));
	select_key(&f->fw, FW_CFG_FILES + FW_CFG_FILES_MAX - 1);
	assert_int_equal(in(&f->fw.io, 1), 'm');
}

static void it_goes_on_where_it_was_saved(void **state)
{
	struct fixture *f = *state;
	void *saved = calloc(1, fw_cfg_device.saved);

	select_key(&f->fw, FW_CFG_FILES);
	assert_int_equal(in(&f->fw.io, 1), 'a');
	fw_cfg_device.save(&f->fw.device, saved);
	fake_fw_cfg_destroy(&f->fw);
	create(f);
	assert_null(fw_cfg_device.load(&f->fw.device, saved));
	assert_int_equal(in(&f->fw.io, 1), 'b');
	memset(saved, 0xff, fw_cfg_device.saved);
	assert_null(fw_cfg_device.load(&f->fw.device, saved));
	assert_int_equal(in(&f->fw.io, 1), 0);
	fake_write(&f->fw.io, 4, 0, 4);
	assert_int_equal(dma(f, SELECT(FW_CFG_FILES) | READ, 1, BUFFER), 0);
	free(saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_found_by_its_signatures, setup, teardown),
		cmocka_unit_test_setup_teardown(items_end_with_zeros, setup, teardown),
		cmocka_unit_test_setup_teardown(files_are_in_the_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(transfers_go_to_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_transfers_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(there_is_an_end_of_files, setup, teardown),
		cmocka_unit_test_setup_teardown(it_goes_on_where_it_was_saved, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
