/* Values that several answers have in common. New references; NULL: no memory. Any thread. */
#ifndef CORE_SERVER_JSON_H
#define CORE_SERVER_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "core/profile/profile.h"
#include "core/profile/report.h"

/* {line, text}, and arrays of them. */
json_t *mistake_json(const struct profile_mistake *mistake);
json_t *mistakes_json(const struct profile_report *report);
json_t *warnings_json(const struct profile_report *report);

/* "52:54:00:12:34:56" and, of an address in host byte order, "10.0.2.15". */
json_t *mac_json(const uint8_t mac[NET_MAC_SIZE]);
json_t *address_json(uint32_t address);

/* Bytes in hexadecimal. */
json_t *hex_json(const uint8_t *data, uint32_t size);

#endif
