/* Profiles: what is read, every mistake with its line, and the manual page against the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/checked.h"
#include "core/profile/differ.h"
#include "core/profile/find.h"
#include "core/profile/folder.h"
#include "core/profile/keys.h"
#include "core/profile/port_settings.h"
#include "core/profile/read.h"
#include "core/profile/values.h"

#define MIB (1ull << 20)

static char folder[64];

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/vmdeck-profile-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

/* Writes a file into the test's folder; the path is good until the next call. */
static const char *write_file(const char *name, const char *text)
{
	static char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	fclose(file);
	return path;
}

static void assert_in_folder(const char *path, const char *name)
{
	assert_non_null(path);
	assert_int_equal(strncmp(path, folder, strlen(folder)), 0);
	assert_string_equal(path + strlen(folder), name);
}

static void everything_given(void **state)
{
	static const uint8_t mac[] = { 0x52, 0x54, 0x00, 0xab, 0xCD, 0x0f };
	const char *path = write_file("web.ini",
				      "[guest]\nname = www.1\ncpus = 4\nmemory = 1536M\n"
				      "autostart = yes\novercommit = yes\n[boot]\nkernel = vmlinuz\n"
				      "initrd = /boot/initrd\ncmdline = \"console=ttyS0; #x\"\n"
				      "[disk0]\npath = a.img\n[disk3]\npath = sub/b.img\n"
				      "format = raw\nreadonly = yes\n"
				      "[net1]\nswitch = lan\nmac = 52:54:00:ab:CD:0f\n");
	struct profile_report report;
	struct profile *profile;

	(void)state;
	assert_int_equal(profile_read(&profile, path, &report), 0);
	assert_int_equal(report.count, 0);
	assert_in_folder(profile->path, "/web.ini");
	assert_string_equal(profile->name, "www.1");
	assert_int_equal(profile->cpus, 4);
	assert_int_equal(profile->memory, 1536 * MIB);
	assert_true(profile->autostart);
	assert_true(profile->overcommit);
	assert_in_folder(profile->kernel, "/vmlinuz");
	assert_string_equal(profile->initrd, "/boot/initrd");
	assert_string_equal(profile->cmdline, "console=ttyS0; #x");
	assert_true(profile->disks[0].present);
	assert_in_folder(profile->disks[0].path, "/a.img");
	assert_false(profile->disks[0].readonly);
	assert_false(profile->disks[1].present);
	assert_null(profile->disks[1].path);
	assert_in_folder(profile->disks[3].path, "/sub/b.img");
	assert_true(profile->disks[3].readonly);
	assert_null(profile->nets[0]);
	assert_non_null(profile->nets[1]);
	assert_string_equal(profile->nets[1]->switch_name, "lan");
	assert_memory_equal(profile->nets[1]->mac, mac, sizeof(mac));
	profile_free(profile);
	profile_report_free(&report);
}

/* A '~' is the user's home folder at the beginning of a path alone. */
static void home_folders(void **state)
{
	struct profile_report report;
	struct profile *profile;

	(void)state;
	setenv("HOME", "/home/me", 1);
	assert_int_equal(profile_read(&profile, write_file("h.ini", "[boot]\nkernel=~/vmlinuz\n"
				      "[disk0]\npath=./~/$x\n[disk1]\npath=a~b\n"), &report), 0);
	assert_string_equal(profile->kernel, "/home/me/vmlinuz");
	assert_in_folder(profile->disks[0].path, "/./~/$x");
	assert_in_folder(profile->disks[1].path, "/a~b");
	profile_free(profile);
	profile_report_free(&report);
}

static void nothing_given(void **state)
{
	struct profile_report report;
	struct profile *profile;
	uint8_t mac[NET_MAC_SIZE], other[NET_MAC_SIZE];

	(void)state;
	assert_int_equal(profile_read(&profile, write_file("db-1.ini", "[net0]\nswitch=lan\n"),
				      &report), 0);
	assert_string_equal(profile->name, "db-1");
	assert_int_equal(profile->cpus, 1);
	assert_int_equal(profile->memory, 128 * MIB);
	assert_false(profile->overcommit);
	assert_false(profile->autostart);
	assert_null(profile->kernel);
	assert_null(profile->initrd);
	assert_string_equal(profile->cmdline, "");
	profile_derive_mac("db-1", 0, mac);
	assert_memory_equal(profile->nets[0]->mac, mac, sizeof(mac));
	assert_memory_equal(mac, "\x52\x54\x00", 3);
	profile_derive_mac("db-1", 1, other);
	assert_memory_not_equal(mac, other, sizeof(mac));
	profile_derive_mac("db-2", 0, other);
	assert_memory_not_equal(mac, other, sizeof(mac));
	profile_free(profile);
	profile_report_free(&report);
}

struct expectation {
	const char *text, *mistake;
};

/* Reads each text, which has exactly one mistake, and compares it as "vmdeck check" prints it. */
static void assert_mistakes(const struct expectation *cases, size_t count, bool is_switch)
{
	struct profile_report report;
	struct switch_config config;
	struct profile *profile;
	char *printed;
	size_t i, size;
	FILE *out;
	int error;

	for (i = 0; i < count; i++) {
		const char *path = write_file("g.ini", cases[i].text);

		if (is_switch)
			error = profile_read_switch(&config, path, &report);
		else
			error = profile_read(&profile, path, &report);
		assert_int_equal(error, -EINVAL);
		out = open_memstream(&printed, &size);
		profile_report_print(&report, "g.ini", out);
		fclose(out);
		if (report.count != 1 ||
		    strncmp(printed, cases[i].mistake, strlen(cases[i].mistake)))
			fail_msg("%s\ngave %s\ninstead of %s", cases[i].text, printed,
				 cases[i].mistake);
		free(printed);
		profile_report_free(&report);
	}
}

static void mistakes_of_guests(void **state)
{
	static const struct expectation cases[] = {
		{ "[guest]\ncpu = 2\n", "g.ini:2: cpu: is no key of [guest]; did you mean 'cpus'?" },
		{ "[guest]\nmemroy=1G\n",
		  "g.ini:2: memroy: is no key of [guest]; did you mean 'memory'?" },
		{ "[guest]\nkernel=x\n",
		  "g.ini:2: kernel: is no key of [guest]; it belongs to [boot]" },
		{ "[boot]\nswitch=x\n",
		  "g.ini:2: switch: is no key of [boot]; it belongs to [net0]" },
		{ "[guest]\nzzz=x\n", "g.ini:2: zzz: is no key of [guest]\n" },
		{ "[gest]\ncpus=2\n", "g.ini:1: [gest] is no section; did you mean [guest]?" },
		{ "[disk]\npath=x\n", "g.ini:1: [disk] is no section; the disks are [disk0] to "
		  "[disk3]" },
		{ "[disk4]\npath=x\n", "g.ini:1: [disk4] is no section; the disks are" },
		{ "[nets0]\nswitch=x\n", "g.ini:1: [nets0] is no section; the nets are [net0] to" },
		{ "[foobar]\n", "g.ini:1: [foobar] is no section of a guest's profile" },
		{ "[cpu]\nx=2\n", "g.ini:1: [cpu] is no section; cpus is a key of [guest]" },
		{ "[cmdline]\n", "g.ini:1: [cmdline] is no section; cmdline is a key of [boot]" },
		{ "[switch]\n", "g.ini:1: [switch] is no section; switch is a key of [net0]" },
		{ "[guest]\ncpus=2\ncpus=3\n", "g.ini:3: cpus: is given twice, first in line 2" },
		{ "[guest]\ncpus=0\n", "g.ini:2: cpus: 0 is out of range; it can be 1 to 255" },
		{ "[guest]\ncpus=256\n", "g.ini:2: cpus: 256 is out of range" },
		{ "[guest]\ncpus=-1\n", "g.ini:2: cpus: '-1' is not a number; write one from 1 to" },
		{ "[guest]\ncpus=99999999999999999999\n", "g.ini:2: cpus: '99999999999999999999'" },
		{ "[guest]\ncpus=\n", "g.ini:2: cpus: has no value" },
		{ "[guest]\nmemory=x\n", "g.ini:2: memory: 'x' is not a size; write 512M or 2G" },
		{ "[guest]\nmemory=1GB\n", "g.ini:2: memory: '1GB' is not a size" },
		{ "[guest]\nmemory=512\n",
		  "g.ini:2: memory: 512 is out of range; it can be 16M to 1T" },
		{ "[guest]\nmemory=2T\n", "g.ini:2: memory: 2T is out of range" },
		{ "[guest]\nmemory=99999999T\n", "g.ini:2: memory: 99999999T is out of range" },
		{ "[guest]\nmemory=16385K\n", "g.ini:2: memory: 16385K is no multiple of 1M" },
		{ "[guest]\nautostart=true\n",
		  "g.ini:2: autostart: 'true' is neither yes nor no" },
		{ "[guest]\nname=-x\n", "g.ini:2: name: '-x' is no name" },
		{ "[guest]\nname=a/b\n", "g.ini:2: name: 'a/b' is no name" },
		{ "[guest]\nname=a12345678901234567890123456789012\n", "g.ini:2: name: 'a1234" },
		{ "[boot]\ninitrd=x\n", "g.ini:2: initrd: is for a kernel" },
		{ "[boot]\nfirmware=bios\nkernel=x\n", "g.ini:2: firmware: a guest begins with a "
		  "BIOS or with a kernel, not both; leave out kernel= to start from a disk" },
		{ "[disk0]\npath=x\n[boot]\ncmdline=quiet\n", "g.ini:4: cmdline: is for a kernel, "
		  "and this guest starts from its disk; it needs a kernel too, or firmware=none" },
		{ "[boot]\nfirmware_file=x\n", "g.ini:2: firmware_file: is for a firmware, and" },
		{ "[disk1]\npath=x\n[boot]\nboot_device=disk1, disk0\n",
		  "g.ini:4: boot_device: this guest has no [disk0]; name its disks" },
		{ "[boot]\nboot_device=,,aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee\n",
		  "g.ini:2: boot_device: this guest has no [?]" },
		{ "[boot]\nfirmware=uboot\n", "g.ini:2: firmware: 'uboot' is unknown here; it can" },
		{ "[net0]\nswitch=lan\nforward=2222:22 22\n",
		  "g.ini:3: forward: '22' cannot be had; write up to 16 different ones, each a" },
		{ "[net0]\nswitch=lan\nforward=0:22\n", "g.ini:3: forward: '0:22' cannot" },
		{ "[net0]\nswitch=lan\nforward=65536:22\n", "g.ini:3: forward: '65536:22'" },
		{ "[net0]\nswitch=lan\nforward=22:+2\n", "g.ini:3: forward: '22:+2'" },
		{ "[net0]\nswitch=lan\nforward=22:\n", "g.ini:3: forward: '22:'" },
		{ "[net0]\nswitch=lan\nforward=1.2.3:80:80\n", "g.ini:3: forward: '1.2.3:80:80'" },
		{ "[net0]\nswitch=lan\nforward=[::1]:80:80\n", "g.ini:3: forward: '[::1]:80:80'" },
		{ "[net0]\nswitch=lan\nforward=80:80  127.0.0.1:80:81\n",
		  "g.ini:3: forward: '127.0.0.1:80:81'" },
		{ "[net0]\nswitch=lan\nforward=1:1 2:1 3:1 4:1 5:1 6:1 7:1 8:1 9:1 10:1 11:1 12:1 "
		  "13:1 14:1 15:1 16:1 17:1\n", "g.ini:3: forward: '17:1'" },
		{ "[disk1]\nreadonly=yes\n", "g.ini:1: [disk1] needs a 'path'" },
		{ "[disk0]\npath=\n", "g.ini:2: path: has no value" },
		{ "[disk0]\npath=$HOME/x\n",
		  "g.ini:2: path: $HOME/x: variables are not known here; write ~/ for your "
		  "home folder, or the whole path" },
		{ "[boot]\nkernel=~bob/x\n",
		  "g.ini:2: kernel: ~bob/x: of the home folders only your own is known "
		  "here, as ~/; write the whole path" },
		{ "[disk0]\npath=x\nformat=qcow9\n",
		  "g.ini:3: format: 'qcow9' is unknown here; it can be "
		  "auto|raw|qcow2|vmdk|vdi|vhdx|luks|nbd|rbd" },
		{ "[share0]\npath=x\n", "g.ini:1: [share0] needs a 'tag'" },
		{ "[disk0]\npath=x\n[disk2]\npath=x\nreadonly=yes\n",
		  "g.ini:4: path: is the image of [disk0] as well" },
		{ "[disk0]\npath=x\nserial=a b\n", "g.ini:3: serial: is no serial number" },
		{ "[disk0]\npath=x\nserial=123456789012345678901\n",
		  "g.ini:3: serial: is no serial number; use up to 20 letters" },
		{ "[disk0]\npath=x\nserial=a\n[disk1]\npath=y\nserial=a\n",
		  "g.ini:6: serial: is that of [disk0] as well" },
		{ "[disk0]\npath=x\nqueues=5\n", "g.ini:3: queues: 5 is out of range" },
		{ "[net0]\n", "g.ini:1: [net0] needs a 'switch'" },
		{ "[net0]\nswitch=a\nlink=left\n",
		  "g.ini:3: link: 'left' is unknown here; it can be up|down" },
		{ "[net0]\nswitch=a\nreorder=5%\n",
		  "g.ini:3: reorder: does nothing without delay; give that as well, or reorder=0" },
		{ "[net0]\nswitch=a\njitter=1ms\nout_distribution=normal\n",
		  "g.ini:4: out_distribution: does nothing without out_jitter; give that as well, or "
		  "out_distribution=uniform" },
		{ "[net0]\nswitch=a\n[net1]\nswitch=a\nloss_burst=3\nout_loss=1%\n",
		  "g.ini:5: loss_burst: does nothing without loss; give that as well, or "
		  "loss_burst=0" },
		{ "[net0]\nswitch=a\naddress=10.0.2.50\n[net1]\nswitch=b\naddress=10.0.2.50\n"
		  "[net2]\nswitch=a\naddress=10.0.2.50\n",
		  "g.ini:9: address: is that of [net0] on the same switch as well" },
		{ "[net0]\nswitch=a\nlnk=down\n", "g.ini:3: lnk: is no key of [net0]; did you mean" },
		{ "[net0]\nswitch=a\nmac=52:54:00:12:34\n",
		  "g.ini:3: mac: '52:54:00:12:34' is not a MAC address" },
		{ "[net0]\nswitch=a\nmac=52-54-00-12-34-56\n", "g.ini:3: mac: '52-54" },
		{ "[net0]\nswitch=a\nmac=52:54:00:12:34:567\n", "g.ini:3: mac: '52:54" },
		{ "[net0]\nswitch=a\nmac=53:54:00:12:34:56\n",
		  "g.ini:3: mac: 53:54:00:12:34:56 is a group address" },
		{ "[net0]\nswitch=a\nmac=00:00:00:00:00:00\n", "g.ini:3: mac: 00:00" },
		{ "[net0]\nswitch=a\nmac=52:54:00:12:34:56\n[net3]\nswitch=b\n"
		  "mac=52:54:00:12:34:56\n", "g.ini:6: mac: is the address of [net0] as well" },
	};

	(void)state;
	assert_mistakes(cases, sizeof(cases) / sizeof(cases[0]), false);
}

static void mistakes_of_switches(void **state)
{
	static const struct expectation cases[] = {
		{ "", "g.ini: has no section [switch]" },
		{ "[swich]\n[switch]\n", "g.ini:1: [swich] is no section; did you mean [switch]?" },
		{ "[guest]\n[switch]\n", "g.ini:1: [guest] is no section of a switch's profile" },
		{ "[switch]\nuplink=bridge\n",
		  "g.ini:2: uplink: 'bridge' is unknown here; it can be none|nat" },
		{ "[switch]\nuplink=nat\n", "g.ini:2: uplink: nat needs an address" },
		{ "[switch]\nuplink=nat\naddress=10.0.2.1/30\n",
		  "g.ini:2: uplink: with NAT the network's prefix is at most 29, not 30" },
		{ "[switch]\n[tap0]\nname=x\nlock=mac\n",
		  "g.ini:4: lock: is for cards of guests; this port has no one address of its own" },
		{ "[switch]\n[tap1]\nname=x\ndelay=1ms\nout_reorder=1%\n",
		  "g.ini:5: out_reorder: does nothing without out_delay;" },
		{ "[switch]\nuplink=nat\naddress=10.0.2.2\n", "g.ini:3: address: '10.0.2.2' is not" },
		{ "[switch]\naddress=10.0.2.2\n", "g.ini:2: address: '10.0.2.2' is not an IPv4" },
		{ "[switch]\naddress=10.0.2/24\n", "g.ini:2: address: '10.0.2/24' is not" },
		{ "[switch]\naddress=10.0.2.2/\n", "g.ini:2: address: '10.0.2.2/' is not" },
		{ "[switch]\naddress=10.0.2.2/31\n", "g.ini:2: address: the prefix /31 is out" },
		{ "[switch]\naddress=10.0.2.2/7\n", "g.ini:2: address: the prefix /7 is out" },
		{ "[switch]\naddress=10.0.2.0/24\n",
		  "g.ini:2: address: 10.0.2.0/24 is the address of the network itself" },
		{ "[switch]\naddress=10.0.2.255/24\n",
		  "g.ini:2: address: 10.0.2.255/24 is the broadcast address" },
		{ "[switch]\naddress=10.0.2.2/24\npool=10.0.3.10-10.0.3.20\n",
		  "g.ini:3: pool: its addresses are not all of hosts in the switch's network, "
		  "10.0.2.0/24" },
		{ "[switch]\naddress=10.0.2.2/24\npool=10.0.2.200-10.0.2.255\n", "g.ini:3: pool:" },
		{ "[switch]\naddress=10.0.2.2/24\npool=10.0.1.255-10.0.2.9\n", "g.ini:3: pool:" },
		{ "[switch]\nuplink=nat\naddress=10.0.2.2/24\npool=10.0.2.0-10.0.2.9\n",
		  "g.ini:4: pool:" },
		{ "[switch]\naddress=127.0.0.1/8\n", "g.ini:2: address: 127.0.0.1/8 cannot be" },
		{ "[switch]\naddress=224.0.0.1/24\n", "g.ini:2: address: 224.0.0.1/24 cannot" },
	};

	(void)state;
	assert_mistakes(cases, sizeof(cases) / sizeof(cases[0]), true);
}

static void switches(void **state)
{
	struct profile_report report;
	struct switch_config config;

	(void)state;
	assert_int_equal(profile_read_switch(&config, write_file("lan.ini",
			 "[switch]\nuplink=nat\naddress=10.0.2.2/24\n"), &report), 0);
	assert_string_equal(config.name, "lan");
	assert_ptr_equal(config.uplink, &port_nat);
	assert_int_equal(config.address, 0x0a000202);
	assert_int_equal(config.prefix, 24);
	profile_report_free(&report);
	assert_int_equal(profile_read_switch(&config, write_file("bare.ini", "[switch]\n"),
					     &report), 0);
	assert_null(config.uplink);
	assert_int_equal(config.address, 0);
	profile_report_free(&report);
}

/* Sections of a switch's profile are ports, in one order, and with them switches differ. */
static void ports_of_switches(void **state)
{
	static const char *const texts[] = {
		"[switch]\n[stream1]\nlisten=a\n[stream0]\nconnect=tcp://192.0.2.1:4\n",
		"[stream0]\nconnect=tcp://192.0.2.1:4\n[switch]\n[stream1]\nlisten=a\ntype=stream\n",
		"[switch]\n[stream1]\nlisten=a\n[stream0]\nconnect=tcp://192.0.2.1:5\n",
		"[switch]\n[stream1]\nlisten=a\n",
		"[switch]\n[stream1]\nlisten=a\nlink=down\n[stream0]\nconnect=tcp://192.0.2.1:4\n",
		"[switch]\n[stream1]\nlisten=a\n[stream2]\nconnect=tcp://192.0.2.1:4\n",
	};
	static const struct expectation cases[] = {
		{ "[switch]\n[stream0]\n", "g.ini:2: [stream0]: needs a 'listen' or a 'connect'" },
		{ "[switch]\n[stream0]\nlisten=a\nconnect=b\n", "g.ini:2: [stream0]: needs a" },
		{ "[switch]\n[stream0]\nlisten=tcp://a:1\n", "g.ini:2: [stream0]: 'a' is no IP" },
		{ "[switch]\n[stream0]\ntype=dgram\nlisten=a\n",
		  "g.ini:2: [stream0]: needs a 'listen' and a 'connect' with type=dgram" },
		{ "[switch]\n[stream0]\ntype=dgram\nlisten=a\nconnect=udp://192.0.2.1:4\n",
		  "g.ini:2: [stream0]: 'listen' and 'connect' must be of one family" },
		{ "[switch]\n[stream0]\ntype=tape\nlisten=a\n", "g.ini:3: type: 'tape' is unknown" },
		{ "[switch]\n[stream8]\nlisten=a\n",
		  "g.ini:2: [stream8] is no section; the streams are [stream0] to [stream7]" },
		{ "[switch]\n[tap0]\n", "g.ini:2: [tap0] needs a 'name'" },
		{ "[switch]\n[tap0]\nname=sixteen-and-more\n",
		  "g.ini:2: [tap0]: name: 'sixteen-and-more' is no name of a network interface" },
		{ "[switch]\n[tap0]\nname=vm%d\n", "g.ini:2: [tap0]: name: 'vm%d' is no name" },
		{ "[switch]\n[tap0]\nname=vm0\nbridge=../x\n", "g.ini:2: [tap0]: bridge: '../x' is" },
		{ "[switch]\n[pcap0]\n", "g.ini:2: [pcap0] needs a 'interface'" },
		{ "[switch]\n[pcap0]\ninterface=\n", "g.ini:2: [pcap0]: interface: '' is no name of a" },
		{ "[switch]\n[vxlan0]\nremote=192.0.2.1\n", "g.ini:2: [vxlan0] needs a 'vni'" },
		{ "[switch]\n[vxlan0]\nvni=16777216\nremote=192.0.2.1\n",
		  "g.ini:3: vni: 16777216 is out of range; it can be 0 to 16777215" },
		{ "[switch]\n[vxlan0]\nvni=1\nremote=here\n",
		  "g.ini:2: [vxlan0]: remote: 'here' is no IP address" },
		{ "[switch]\n[vxlan0]\nvni=1\nremote=192.0.2.1\nlocal=::1\n",
		  "g.ini:2: [vxlan0]: 'remote' and 'local' must both be" },
		{ "[switch]\n[replay0]\nspeed=0\npath=a\n", "g.ini:3: speed: '0' is no speed; write" },
		{ "[switch]\n[replay0]\nspeed=1000.001\npath=a\n", "g.ini:3: speed: '1000.001' is no" },
		{ "[switch]\n[replay0]\nspeed=4294968\npath=a\n", "g.ini:3: speed: '4294968' is no" },
		{ "[switch]\n[replay0]\nspeed=1.\npath=a\n", "g.ini:3: speed: '1.' is no speed" },
		{ "[switch]\n[replay0]\nspeed=.5\npath=a\n", "g.ini:3: speed: '.5' is no speed" },
		{ "[switch]\n[replay0]\nspeed=0.0001\npath=a\n", "g.ini:3: speed: '0.0001' is no" },
		{ "[switch]\nlisten=a\n", "g.ini:2: listen: is no key of [switch]; it belongs to "
		  "[stream0]" },
	};
	struct switch_config first, other, copy;
	struct profile_report report;

	(void)state;
	assert_int_equal(profile_read_switch(&first, write_file("lan.ini", texts[0]), &report), 0);
	profile_report_free(&report);
	assert_int_equal(first.sections->number, 0);
	assert_int_equal(first.sections->next->number, 1);
	assert_ptr_equal(first.sections->kind, &port_stream);
	assert_null(first.sections->next->next);
	assert_ptr_equal(port_section_find(&first, &port_stream, 1), first.sections->next);
	assert_int_equal(switch_config_copy(&copy, &first), 0);
	assert_true(switch_config_equal(&first, &copy));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(profile_read_switch(&other, write_file("lan.ini", texts[i]),
						     &report), 0);
		assert_int_equal(switch_config_equal(&copy, &other), i < 2);
		profile_report_free(&report);
		switch_config_free(&other);
	}
	switch_config_free(&first);
	switch_config_free(&copy);
	assert_mistakes(cases, sizeof(cases) / sizeof(cases[0]), true);
}

/* Each key in words that a person finds in the file. */
static void differences_are_named(void **state)
{
	static const struct {
		const char *text, *keys;
	} cases[] = {
		{ "[boot]\nkernel=a\n[disk1]\npath=x\n[net0]\nswitch=lan\n", "" },
		{ "[guest]\nmemory=128M\n[boot]\nkernel=./a\n[disk1]\npath=x\n[net0]\nswitch=lan\n",
		  "kernel" },
		{ "[guest]\ncpus=2\nautostart=yes\n[boot]\nkernel=a\ncmdline=b\n[disk1]\npath=x\n"
		  "[net0]\nswitch=lan\n", "cpus, autostart, cmdline" },
		{ "[disk1]\npath=y\nreadonly=yes\n[net0]\nswitch=wan\nmac=52:54:00:00:00:01\n",
		  "kernel, disk1 path, disk1 readonly, net0 switch, net0 mac" },
		{ "[boot]\nkernel=a\n[disk0]\npath=x\n[net1]\nswitch=lan\n",
		  "disk0, disk1, net0, net1" },
	};
	struct profile *before, *after;
	struct profile_report report;
	char keys[80];

	(void)state;
	assert_int_equal(profile_read(&before, write_file("g.ini", cases[0].text), &report), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(profile_read(&after, write_file("g.ini", cases[i].text), &report),
				 0);
		assert_int_equal(profile_differ(before, after, keys, sizeof(keys)), i != 0);
		assert_string_equal(keys, cases[i].keys);
		assert_true(i == 0 || profile_differ(before, after, keys, 5));
		assert_true(strlen(keys) < 5);
		profile_free(after);
	}
	profile_free(before);
}

static void mistakes_come_by_line(void **state)
{
	struct profile_report report;
	struct profile *profile;
	size_t i;

	(void)state;
	assert_int_equal(profile_read(&profile, write_file("bad name.ini",
			 "[boot]\ninitrd=x\n[guest]\nmemory=1\njunk\n[disk0]\nbogus=1\n[net9]\n"),
			 &report), -EINVAL);
	assert_null(profile);
	assert_int_equal(report.count, 7);
	assert_int_equal(report.mistakes[0].line, 0);
	for (i = 1; i < report.count; i++)
		assert_true(report.mistakes[i - 1].line <= report.mistakes[i].line);
	profile_report_free(&report);
}

static void mistakes_are_bounded(void **state)
{
	char text[PROFILE_MISTAKES_MAX * 8];
	struct profile_report report;
	struct profile *profile;
	size_t i;

	(void)state;
	for (i = 0; i < PROFILE_MISTAKES_MAX + 40; i++)
		memcpy(text + 4 * i, "xyz\n", 5);
	assert_int_equal(profile_read(&profile, write_file("g.ini", text), &report), -EINVAL);
	assert_int_equal(report.count, PROFILE_MISTAKES_MAX + 1);
	assert_string_equal(report.mistakes[PROFILE_MISTAKES_MAX].text,
			    "there are more mistakes than these 100");
	profile_report_free(&report);
}

static void a_file_that_is_not_there(void **state)
{
	struct profile_report report;
	struct profile *profile;

	(void)state;
	assert_int_equal(profile_read(&profile, "/nonexistent/x.ini", &report), -ENOENT);
	assert_int_equal(report.count, 1);
	assert_int_equal(report.mistakes[0].line, 0);
	assert_string_equal(report.mistakes[0].text, "No such file or directory");
	profile_report_free(&report);
}

static void note_name(void *arg, const char *name)
{
	char *names = arg;

	snprintf(names + strlen(names), 64 - strlen(names), " %s", name);
}

/* A guest is found by its name, which its file need not have; with mistakes, by the file's. */
static void guests_are_found_by_name(void **state)
{
	char found[PATH_MAX], names[64] = "";
	struct cause cause;

	(void)state;
	write_file("a.ini", "[guest]\nname = web\n");
	write_file("broken.ini", "[guest]\nmemory = lots\n");
	assert_int_equal(profile_find(found, "web", folder, &cause), 0);
	assert_in_folder(found, "/a.ini");
	assert_int_equal(profile_find(found, "broken", folder, &cause), 0);
	assert_in_folder(found, "/broken.ini");
	assert_int_equal(profile_find(found, "./web", folder, &cause), 0);
	assert_string_equal(found, "./web");
	assert_int_equal(profile_find(found, "web.ini", folder, &cause), 0);
	assert_string_equal(found, "web.ini");
	assert_int_equal(profile_find(found, "a", folder, &cause), -ENOENT);
	assert_int_equal(profile_find(found, "wbe", folder, &cause), -ENOENT);
	assert_non_null(strstr(cause.text, "did you mean 'web'?"));
	profile_names(folder, note_name, names);
	assert_string_equal(names, " web broken");
}

/* The names of the files, each behind a blank. */
static void note_file(void *arg, const char *path)
{
	char *names = arg;

	assert_int_equal(strncmp(path, folder, strlen(folder)), 0);
	snprintf(names + strlen(names), 64 - strlen(names), " %s", path + strlen(folder) + 1);
}

static void folders_list_their_profiles(void **state)
{
	char names[64] = "";
	struct cause cause;
	size_t length;

	(void)state;
	write_file("b.ini", "");
	write_file("a.ini", "");
	write_file("a10.ini", "");
	write_file("a4.ini", "");
	write_file("a.ini~", "");
	write_file(".hidden.ini", "");
	write_file(".ini", "");
	assert_int_equal(profile_folder_read(folder, note_file, names, &cause), 0);
	assert_string_equal(names, " a.ini a4.ini a10.ini b.ini");
	assert_int_equal(profile_folder_read("/nonexistent", note_file, names, &cause), 0);
	assert_string_equal(names, " a.ini a4.ini a10.ini b.ini");
	assert_int_equal(profile_folder_read("/dev/null", note_file, names, &cause), -ENOTDIR);
	assert_string_equal(profile_file_name("/x/web.ini", &length), "web.ini");
	assert_int_equal(length, 3);
	profile_file_name("web.conf", &length);
	assert_int_equal(length, 8);
}

static void count_file(void *arg, const char *path)
{
	(void)path;
	++*(unsigned *)arg;
}

static void folders_have_a_limit(void **state)
{
	char path[128];
	struct cause cause;
	unsigned count = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/many", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	for (unsigned i = 0; i <= PROFILE_FOLDER_MAX; i++) {
		snprintf(path, sizeof(path), "%s/many/%u.ini", folder, i);
		assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
	}
	snprintf(path, sizeof(path), "%s/many", folder);
	assert_int_equal(profile_folder_read(path, count_file, &count, &cause), -E2BIG);
	assert_int_equal(count, 0);
	assert_non_null(strstr(cause.text, "more than 4096 profiles"));
	snprintf(path, sizeof(path), "%s/many/0.ini", folder);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/many", folder);
	assert_int_equal(profile_folder_read(path, count_file, &count, &cause), 0);
	assert_int_equal(count, PROFILE_FOLDER_MAX);
}

static void settings_of_ports_are_words(void **state)
{
	static const struct {
		const char *key, *given, *taken; /* NULL: the standard value */
	} cases[] = {
		{ "leases", "20", "20" }, { "link", "down", "down" }, { "link", "up", NULL },
		{ "delay", "20ms", "20ms" }, { "delay", "1.5s", "1500ms" },
		{ "delay", "0.25us", "250ns" }, { "delay", "60s", "60s" }, { "delay", "0", NULL },
		{ "delay", "0ms", NULL }, { "jitter", "1000us", "1ms" },
		{ "loss", "1%", "1%" }, { "loss", "0.5%", "0.5%" }, { "loss", "12.3456%", "12.3456%" },
		{ "loss", "0.0001%", "0.0001%" }, { "loss", "100%", "100%" }, { "loss", "0%", NULL },
		{ "out_rate", "10mbit", "10mbit" }, { "out_rate", "1.5gbit", "1500mbit" },
		{ "trunk", "20-30,10", "10,20-30" }, { "trunk", "1,2,4", "1-2,4" },
		{ "trunk", "4094", "4094" }, { "trunk", "none", NULL }, { "vlan", "10", "10" },
		{ "private", "yes", "yes" }, { "lock", "mac", "mac" }, { "mtu", "1400", "1400" },
		{ "distribution", "pareto", "pareto" }, { "seed", "7", "7" },
	};
	static const struct {
		const char *key, *given, *text;
	} wrong[] = {
		{ "delay", "20", "delay: '20' is not a time; write one such as 20ms or 1.5s" },
		{ "delay", "1.ms", "delay: '1.ms' is not a time; write one such as 20ms or 1.5s" },
		{ "delay", "-1ms", "delay: '-1ms' is not a time; write one such as 20ms or 1.5s" },
		{ "delay", "61s", "delay: 61s is out of range; it can be 0 to 60s" },
		{ "delay", "60.1s", "delay: 60.1s is out of range; it can be 0 to 60s" },
		{ "delay", "99999999999999999999s",
		  "delay: '99999999999999999999s' is not a time; write one such as 20ms or 1.5s" },
		{ "delay", "", "delay: has no value; write one or remove the line" },
		{ "loss", "101%", "loss: 101% is out of range; it can be 0 to 100%" },
		{ "loss", "1", "loss: '1' is not a share; write one such as 1% or 0.5%" },
		{ "rate", "10m", "rate: '10m' is not a rate; write one such as 10mbit or 1.5gbit" },
		{ "trunk", "10-", "trunk: '10-' are not VLANs; write 10,20-30 or none" },
		{ "trunk", "10 20", "trunk: '10 20' are not VLANs; write 10,20-30 or none" },
		{ "trunk", "10,", "trunk: '10,' are not VLANs; write 10,20-30 or none" },
		{ "trunk", "30-20", "trunk: '30-20' is out of range; VLANs are 1 to 4094, and the "
		  "smaller one of two comes first" },
		{ "trunk", "0", "trunk: '0' is out of range; VLANs are 1 to 4094, and the smaller "
		  "one of two comes first" },
		{ "vlan", "4095", "vlan: 4095 is out of range; it can be 0 to 4094" },
		{ "dlay", "1ms", "dlay: is no setting of a port; did you mean 'delay'?" },
	};
	struct net_port_settings settings = { 0 }, plain = { 0 };
	char text[PORT_SETTING_MAX];
	struct cause cause;

	(void)state;
	for (const struct profile_key *key = net_port_keys; key->key; key++) {
		/* A record of zeros is what the standard values make. */
		assert_int_equal(port_settings_take(&settings, key->key, key->standard, &cause), 0);
		assert_false(port_settings_text(&plain, key, text));
		assert_string_equal(text, key->standard);
	}
	assert_memory_equal(&settings, &plain, sizeof(plain));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct profile_key *key = net_port_keys;

		while (strcmp(key->key, cases[i].key))
			key++;
		assert_int_equal(port_settings_take(&settings, key->key, cases[i].given, &cause), 0);
		assert_int_equal(port_settings_text(&settings, key, text), cases[i].taken != NULL);
		assert_string_equal(text, cases[i].taken ? cases[i].taken : key->standard);
	}
	assert_int_equal(port_settings_take(&settings, "lnk", "up", &cause), -EINVAL);
	assert_string_equal(cause.text, "lnk: is no setting of a port; did you mean 'link'?");
	assert_int_equal(port_settings_take(&settings, "link", "left", &cause), -EINVAL);
	assert_string_equal(cause.text, "link: 'left' is unknown here; it can be up|down");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_true(port_settings_take(&settings, wrong[i].key, wrong[i].given, &cause) < 0);
		if (strcmp(cause.text, wrong[i].text))
			fail_msg("%s", cause.text);
	}
}

static void sizes_are_written_shortly(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = { { 0, "0" }, { 1000, "1000" }, { 1024, "1K" }, { 16 * MIB, "16M" },
		      { 1536 * MIB, "1536M" }, { 2048 * MIB, "2G" }, { 1ull << 50, "1024T" } };
	char text[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		profile_size_format(cases[i].bytes, text);
		assert_string_equal(text, cases[i].text);
	}
}

static char *read_manual(const char *name)
{
	char path[4096], *text = calloc(1, 1 << 16);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", MAN_FOLDER, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
	fclose(file);
	return text;
}

/* Each key has its ".It Ic key" in its section's part, with its standard value and its bounds. */
static void assert_key(const char *name, char *section, const struct profile_key *key)
{
	char *item, *end, text[64], min[32], max[PROFILE_UNIT_SIZE];

	snprintf(text, sizeof(text), ".It Ic %s\n", key->key);
	item = strstr(section, text);
	end = strstr(section, "\n.S");
	if (!item || !end || item > end)
		fail_msg("%s does not describe '%s'", name, key->key);
	item += 2;
	end = strstr(item, "\n.It");
	if (end)
		*end = '\0';
	if (key->standard && *key->standard && !strstr(item, key->standard))
		fail_msg("%s: '%s' lacks its standard value", name, key->key);
	if (key->required && !strstr(item, "required"))
		fail_msg("%s: '%s' is not said to be required", name, key->key);
	if (key->max) {
		profile_size_format(key->min, min);
		if (key->type == PROFILE_TIME || key->type == PROFILE_RATE)
			profile_unit_format(key->type, key->max, max);
		else
			profile_size_format(key->max, max);
		if (!strstr(item, min) || !strstr(item, max))
			fail_msg("%s: '%s' lacks its bounds", name, key->key);
	}
	if (end)
		*end = '\n';
}

static void assert_manual(const char *name, const struct profile_section *section)
{
	char *manual = read_manual(name), *part, text[64];

	for (; section->kind; section++) {
		snprintf(text, sizeof(text), ".Ss The [%s%s] section\n", section->kind,
			 section->count > 1 ? "0" : "");
		part = strstr(manual, text);
		if (!part)
			fail_msg("%s has no '%s'", name, text);
		for (const struct profile_key *key = section->keys; key->key; key++) {
			snprintf(text, sizeof(text), "\n.Ic %s ", key->key);
			if (!profile_key_is_setting(section, key))
				assert_key(name, part, key);
			else if (!strstr(part, text))
				fail_msg("%s does not name '%s'", name, key->key);
		}
	}
	free(manual);
}

static void manuals_describe_every_key(void **state)
{
	(void)state;
	assert_manual("vmdeck-guest.5", profile_guest_sections());
	assert_manual("vmdeck-switch.5", profile_switch_sections());
}

/* Every example is a profile without mistakes. */
static void examples_have_no_mistakes(void **state)
{
	static const char *const guests[] = { "demo.ini", "web.ini" };
	static const char *const switches[] = { "island.ini", "lan.ini" };
	struct profile_report report;
	struct switch_config config;
	struct profile *profile;
	char path[4096];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		snprintf(path, sizeof(path), "%s/guests/%s", CONF_FOLDER, guests[i]);
		if (profile_read(&profile, path, &report)) {
			profile_report_print(&report, path, stderr);
			fail();
		}
		profile_free(profile);
		profile_report_free(&report);
	}
	for (i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		snprintf(path, sizeof(path), "%s/switches/%s", CONF_FOLDER, switches[i]);
		if (profile_read_switch(&config, path, &report)) {
			profile_report_print(&report, path, stderr);
			fail();
		}
		profile_report_free(&report);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everything_given, setup, teardown),
		cmocka_unit_test_setup_teardown(home_folders, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_given, setup, teardown),
		cmocka_unit_test_setup_teardown(mistakes_of_guests, setup, teardown),
		cmocka_unit_test_setup_teardown(mistakes_of_switches, setup, teardown),
		cmocka_unit_test_setup_teardown(switches, setup, teardown),
		cmocka_unit_test_setup_teardown(ports_of_switches, setup, teardown),
		cmocka_unit_test_setup_teardown(differences_are_named, setup, teardown),
		cmocka_unit_test_setup_teardown(mistakes_come_by_line, setup, teardown),
		cmocka_unit_test_setup_teardown(mistakes_are_bounded, setup, teardown),
		cmocka_unit_test(a_file_that_is_not_there),
		cmocka_unit_test_setup_teardown(folders_list_their_profiles, setup, teardown),
		cmocka_unit_test_setup_teardown(folders_have_a_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(guests_are_found_by_name, setup, teardown),
		cmocka_unit_test(settings_of_ports_are_words),
		cmocka_unit_test(sizes_are_written_shortly),
		cmocka_unit_test(manuals_describe_every_key),
		cmocka_unit_test(examples_have_no_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
