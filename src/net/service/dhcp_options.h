/*
 * What a DHCP server is set to, and tells its clients (RFC 2132, RFC 3397, RFC 3442). Pure;
 * any thread.
 *
 * The values are read by profile_key.parse() functions, each into its part; all zero is a
 * server that tells what it must.
 */
#ifndef NET_SERVICE_DHCP_OPTIONS_H
#define NET_SERVICE_DHCP_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#define DHCP_ADDRESSES_MAX 4
#define DHCP_ROUTES_MAX 8
#define DHCP_DOMAIN_MAX 128  /* with the zero */
#define DHCP_SEARCH_MAX 192  /* bytes of the option */

/* Addresses are in host byte order. */
struct dhcp_pool {
	uint32_t first, last; /* 0: all of the network */
};

struct dhcp_addresses {
	uint32_t count;
	uint32_t list[DHCP_ADDRESSES_MAX];
};

struct dhcp_search {
	uint32_t size;
	uint8_t bytes[DHCP_SEARCH_MAX]; /* as option 119 has it, nothing compressed */
};

struct dhcp_routes {
	uint32_t count;
	struct {
		uint32_t network, gateway;
		uint32_t prefix; /* 0..32 */
	} list[DHCP_ROUTES_MAX];
};

struct dhcp_settings {
	struct dhcp_pool pool;
	struct dhcp_addresses dns, ntp;
	struct dhcp_search search;
	struct dhcp_routes routes;
	char domain[DHCP_DOMAIN_MAX];
	unsigned lease_s; /* 0: the standard */
	unsigned mtu;	  /* 0: none is told */
};

/* "10.0.2.100-10.0.2.199", "10.0.2.9 10.0.2.10", "lab", "lab example.org". */
int dhcp_parse_pool(void *pool, const char *text, char *fault, size_t room);
int dhcp_parse_addresses(void *addresses, const char *text, char *fault, size_t room);
int dhcp_parse_domain(void *domain, const char *text, char *fault, size_t room);
int dhcp_parse_search(void *search, const char *text, char *fault, size_t room);

/* "192.168.7.0/24 via 10.0.2.9, 10.9.0.0/16 via 10.0.2.9". */
int dhcp_parse_routes(void *routes, const char *text, char *fault, size_t room);

/* One address of IPv4, uint32_t. */
int dhcp_parse_address(void *address, const char *text, char *fault, size_t room);

/*
 * Writes the options of settings to out, as many as find room there; returns their size. router
 * is the way out, or 0: who heeds routes heeds no other (RFC 3442).
 */
size_t dhcp_options_write(const struct dhcp_settings *settings, uint32_t router, uint8_t *out,
			  size_t room);

#endif
