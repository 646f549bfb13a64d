/*
 * What the NICs of a profile have in common, whatever chip they are: the port of a
 * switch. The guest's I/O thread except where it says otherwise.
 */
#ifndef CORE_BUS_NIC_H
#define CORE_BUS_NIC_H

#include "core/bus/device.h"
#include "net/switch/switch.h"

#define NIC_NAME "net" /* of a NIC, before its number */

/*
 * What people have set the ports of cards to since the guest was started, which a reset leaves.
 * Its machine's, all zero at first; of the guest's I/O thread while cards have no port.
 */
struct nics_kept {
	struct net_port_kept *ports[PROFILE_NETS_MAX];
};

void nics_kept_free(struct nics_kept *kept); /* what it holds */

/* Tells of switches that there are not. check() of a row. */
void nic_check_switches(const struct profile_check *check);

/*
 * Joins the switch of the device's NIC, as its port "guest/net0", which accepts nothing yet.
 * 0, or a negative errno with a cause.
 */
int nic_connect(const struct device *device, struct net_port **port,
		const struct net_port_ops *ops, void *backend, struct cause *cause);

/* Adds a port's counters to a sum. Any thread. */
void nic_sample(const struct net_port *port, struct device_counters *sum);

#endif
