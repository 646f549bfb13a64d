/*
 * The command "attack": its table, and the loop around the steps. The guest itself
 * goes on meanwhile, and afterwards. CPU 0, tasks.
 */
#include "attack.h"

#include "clock.h"
#include "command.h"
#include "console.h"
#include "net.h"
#include "nic.h"
#include "peers.h"
#include "task.h"

#define TURN (2 * MILLISECOND)

static const struct attack_word words[] = {
	{ "fragments", "last first, overlapping, 10,000 open ones", "frames", true, NULL,
	  attack_fragments, NULL },
	{ "urgent", "TCP with URG", "frames", true, NULL, attack_urgent, NULL },
	{ "options", "IPv4 options, right and wrong", "frames", true, NULL, attack_options, NULL },
	{ "udp", "each datagram from a fresh port to a fresh port", "frames", true, NULL,
	  attack_udp, NULL },
	{ "icmp", "echo requests of all sizes", "frames", true, NULL, attack_icmp, NULL },
	{ "tcp", "a SYN from each port to each port", "frames", true, NULL, attack_tcp, NULL },
	{ "forged", "from the MACs of the gateway, its DNS and the peers", "frames", true,
	  attack_forged_begin, attack_forged, NULL },
	{ "dhcp", "asks for all leases, gives back those of others", "frames", true, NULL,
	  attack_dhcp, NULL },
	{ "jumbo", "64 KiB of TSO to everybody, segments of 1 byte and more", "frames", true,
	  attack_jumbo_begin, attack_jumbo, attack_jumbo_end },
	{ "console", "bytes that terminal emulators stumble over", "bytes", false, NULL,
	  attack_console, attack_console_end },
	{ "prints", "text without end", "bytes", false, NULL, attack_prints, NULL },
	{ "ports", "reads of ports", "accesses", false, NULL, attack_ports, NULL },
	{ "mmio", "reads of a device's register", "accesses", false, attack_device_begin,
	  attack_mmio, NULL },
	{ "nowhere", "ports and addresses where nothing is", "accesses", false, NULL,
	  attack_nowhere, NULL },
	{ "halts", "rests that a timer ends at once", "halts", false, NULL, attack_halts, NULL },
	{ "kicks", "doorbells of queues with nothing in them", "kicks", false, attack_device_begin,
	  attack_kicks, NULL },
	{ "bars", "moves a device's BARs and switches them off", "writes", false,
	  attack_device_begin, attack_bars, NULL },
	{ "masks", "masks and unmasks MSI-X", "writes", false, attack_device_begin, attack_masks,
	  NULL },
	{ "resets", "resets a virtio device, which is gone then", "resets", false,
	  attack_device_begin, attack_resets, NULL },
};

static const struct attack_word *find(const char *word)
{
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i].word) == 0)
			return &words[i];
	return NULL;
}

static bool list(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		print("attack %s - %s\n", words[i].word, words[i].help);
	return true;
}

static bool find_target(struct attack *attack, const char *name)
{
	if (!nic_present()) {
		print("attack: there is no network\n");
		return false;
	}
	attack->target = net_address.gateway;
	if (name != NULL && !peer_address(name, &attack->target)) {
		print("%s: neither an address nor a peer\n", name);
		return false;
	}
	if (attack->target != 0 && net_resolve(attack->target, 2 * SECOND) &&
	    net_mac_of(attack->target, attack->mac))
		return true;
	print("attack: %s does not answer ARP\n", ip_text(attack->target));
	return false;
}

static uint64_t run(const struct attack_word *word, struct attack *attack, uint64_t end)
{
	uint64_t done = 0, turn = clock_now(), now = turn;

	while (now < end && !command_stopped()) {
		unsigned n = word->step(attack);

		attack->step++;
		done += n;
		now = clock_now();
		if (n == 0 || now - turn > TURN) {
			task_yield();
			turn = clock_now();
		}
	}
	return done;
}

bool command_attack(unsigned count, char **arguments)
{
	const struct attack_word *word = find(arguments[1]);
	struct attack attack = { .chance = clock_now() | 1 };
	uint64_t seconds, start, done, time;

	if (strcmp(arguments[1], "help") == 0)
		return list();
	if (word == NULL || !parse_number(arguments[2], false, &seconds) || seconds > 86400)
		return false;
	if ((word->network && !find_target(&attack, count > 3 ? arguments[3] : NULL)) ||
	    (word->begin != NULL && !word->begin(&attack)))
		return true;
	console_flush();
	start = clock_now();
	done = run(word, &attack, start + seconds * SECOND);
	if (word->end != NULL)
		word->end(&attack);
	time = maximum(clock_now() - start, 1000);
	print("attack: %s: %lu %s in %lu us: %lu/s\n", word->word, done, word->unit, time / 1000,
	      done * 1000000 / (time / 1000));
	return true;
}
