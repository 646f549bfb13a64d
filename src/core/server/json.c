/* Values of the protocol. Any thread. */
#include "core/server/json.h"

#include <stdlib.h>

#include "control/message.h"

json_t *mac_json(const uint8_t mac[NET_MAC_SIZE])
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
			    mac[4], mac[5]);
}

json_t *address_json(uint32_t address)
{
	return json_sprintf("%u.%u.%u.%u", address >> 24, (address >> 16) & 0xff,
			    (address >> 8) & 0xff, address & 0xff);
}

json_t *hex_json(const uint8_t *data, uint32_t size)
{
	static const char digits[] = "0123456789abcdef";
	char *text = calloc(2 * (size_t)size + 1, 1);
	json_t *json;

	if (!text)
		return json_null();
	for (uint32_t i = 0; i < size; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
	json = message_text(text);
	free(text);
	return json;
}

json_t *mistake_json(const struct profile_mistake *mistake)
{
	return json_pack("{s:i, s:o}", "line", (int)mistake->line, "text",
			 message_text(mistake->text));
}

static json_t *list_json(const struct profile_mistake *mistakes, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, mistake_json(&mistakes[i]));
	return list;
}

json_t *mistakes_json(const struct profile_report *report)
{
	return list_json(report->mistakes, report->count);
}

json_t *warnings_json(const struct profile_report *report)
{
	return list_json(report->warnings, report->warning_count);
}
