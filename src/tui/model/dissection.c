/* See dissection.h. */
#include "tui/model/dissection.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/checked.h"
#include "tui/model/json.h"

static void free_fields(struct dissection_field *fields, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		free(fields[i].label);
		free(fields[i].filter);
	}
	free(fields);
}

void dissection_free(struct dissection *dissection)
{
	free_fields(dissection->fields, dissection->count);
	free(dissection->rows);
	*dissection = (struct dissection){ 0 };
}

/* --- reading an answer --- */

/* One that is read: an empty dissection with room for all fields. */
struct reading {
	struct dissection *to;
	uint32_t captured;
	bool failed; /* there is no memory */
};

static struct dissection_field *add(struct reading *reading, const char *label,
				    const char *filter, int depth)
{
	struct dissection *to = reading->to;
	struct dissection_field *field = &to->fields[to->count];

	if (reading->failed)
		return NULL;
	if (to->count == DISSECTION_FIELDS) {
		to->cut = true;
		return NULL;
	}
	*field = (struct dissection_field){ .label = strndup(label, DISSECTION_LABEL),
					    .filter = strndup(filter, DISSECTION_LABEL),
					    .depth = depth };
	to->count++;
	reading->failed = !field->label || !field->filter;
	return reading->failed ? NULL : field;
}

/* Bytes that are made of several packets ("ds") are not those of this one. */
static void take_bytes(const struct reading *reading, const json_t *node,
		       struct dissection_field *field)
{
	const json_t *range = json_object_get(node, "h");
	json_int_t at = json_integer_value(json_array_get(range, 0));
	json_int_t size = json_integer_value(json_array_get(range, 1));

	if (json_integer_value(json_object_get(node, "ds")) || at < 0 || size <= 0 ||
	    at >= (json_int_t)reading->captured)
		return;
	if (size > (json_int_t)reading->captured - at)
		size = (json_int_t)reading->captured - at;
	field->at = (uint32_t)at;
	field->size = (uint32_t)size;
}

static void take_nodes(struct reading *reading, const json_t *nodes, int depth)
{
	struct dissection *to = reading->to;

	if (depth == DISSECTION_DEPTH) {
		to->cut |= json_array_size(nodes) > 0;
		return;
	}
	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const json_t *node = json_array_get(nodes, i);
		struct dissection_field *field = add(reading, json_text(node, "l"),
						     json_text(node, "f"), depth);

		if (!field)
			return;
		take_bytes(reading, node, field);
		take_nodes(reading, json_object_get(node, "n"), depth + 1);
		field->inner = (uint32_t)(&to->fields[to->count] - field) - 1;
	}
}

/* The innermost protocol is what is looked for most; what is around it is closed. */
static void open_last(struct dissection *dissection)
{
	for (uint32_t i = dissection->count; i-- > 0;)
		if (dissection->fields[i].depth == 0) {
			dissection->fields[i].open = true;
			return;
		}
}

static int begin(struct reading *reading, struct dissection *to)
{
	*to = (struct dissection){ 0 };
	reading->to = to;
	to->fields = calloc(DISSECTION_FIELDS + 1, sizeof(*to->fields));
	to->rows = calloc(DISSECTION_FIELDS, sizeof(*to->rows));
	return to->fields && to->rows ? 0 : -ENOMEM;
}

/* Takes over what was read in the place of what there was. */
static int end(struct reading *reading, struct dissection *dissection)
{
	if (reading->failed) {
		dissection_free(reading->to);
		return -ENOMEM;
	}
	open_last(reading->to);
	dissection_free(dissection);
	*dissection = *reading->to;
	dissection_rows(dissection, "");
	return 0;
}

static int read_tree(struct dissection *dissection, const json_t *tree, uint32_t captured)
{
	struct reading reading = { .captured = captured };
	struct dissection made;

	if (begin(&reading, &made) < 0)
		reading.failed = true;
	else
		take_nodes(&reading, tree, 0);
	return end(&reading, dissection);
}

int dissection_read(struct dissection *dissection, const char *line, size_t size,
		    uint32_t captured, struct cause *cause)
{
	json_t *answer, *tree;
	const json_t *error;
	int r;

	if (!size || *line != '{') /* it tells what it does, too */
		return 0;
	if (size > DISSECTION_ANSWER)
		return cause_set(cause, EPROTO, "the answer is too long");
	answer = json_loadb(line, size, 0, NULL);
	if (!answer)
		return cause_set(cause, EPROTO, "the answer cannot be read");
	error = json_object_get(answer, "error");
	tree = json_object_get(json_object_get(answer, "result"), "tree");
	if (error)
		r = cause_set(cause, EPROTO, "it says: %.200s", json_text(error, "message"));
	else if (json_integer_value(json_object_get(answer, "id")) != DISSECTION_NUMBER)
		r = 0;
	else if (!json_array_size(tree))
		r = cause_set(cause, EPROTO, "the answer has no fields");
	else if (read_tree(dissection, tree, captured) < 0)
		r = cause_set(cause, ENOMEM, "no memory for the fields");
	else
		r = 1;
	json_decref(answer);
	return r;
}

int dissection_list(struct dissection *dissection, const struct packet *packet)
{
	static const struct {
		enum packet_field field;
		const char *name;
	} parts[] = {
		{ PACKET_FROM_PORT, "Sent by" }, { PACKET_VERDICT, "Went to" },
		{ PACKET_FROM, "Source" },	 { PACKET_TO, "Destination" },
		{ PACKET_PROTOCOL, "Protocol" }, { PACKET_TEXT, "Says" },
	};
	struct reading reading = { .captured = packet->captured };
	char label[DISSECTION_LABEL];
	struct dissection made;

	if (begin(&reading, &made) < 0)
		reading.failed = true;
	for (size_t i = 0; i < ARRAY_SIZE(parts) && !reading.failed; i++) {
		snprintf(label, sizeof(label), "%s: %s", parts[i].name,
			 packet->fields[parts[i].field]);
		add(&reading, label, "", 0);
	}
	return end(&reading, dissection);
}

/* --- what is shown --- */

static bool contains(const char *label, const char *text)
{
	size_t size = strlen(text);

	for (; *label; label++)
		if (strncasecmp(label, text, size) == 0)
			return true;
	return size == 0;
}

/* Whether the field or one that lies in it contains the text. */
static bool is_found(const struct dissection *dissection, uint32_t at, const char *text)
{
	for (uint32_t i = at; i <= at + dissection->fields[at].inner; i++)
		if (contains(dissection->fields[i].label, text))
			return true;
	return false;
}

void dissection_rows(struct dissection *dissection, const char *text)
{
	dissection->row_count = 0;
	for (uint32_t i = 0; i < dissection->count; i++) {
		const struct dissection_field *field = &dissection->fields[i];

		if (!*text || is_found(dissection, i, text))
			dissection->rows[dissection->row_count++] = i;
		if ((*text && !is_found(dissection, i, text)) || (!*text && !field->open))
			i += field->inner;
	}
}

bool dissection_open(struct dissection *dissection, uint32_t at, bool open)
{
	struct dissection_field *field = &dissection->fields[at];

	if (!field->inner || field->open == open)
		return false;
	field->open = open;
	return true;
}

uint32_t dissection_outer(const struct dissection *dissection, uint32_t at)
{
	for (uint32_t i = at; i-- > 0;)
		if (dissection->fields[i].depth < dissection->fields[at].depth)
			return i;
	return at;
}

/* --- filters --- */

static const struct {
	const char *name, *words;
} filters[] = {
	{ "eth.src", "ether src " },	  { "eth.dst", "ether dst " },
	{ "eth.addr", "ether host " },	  { "ip.src", "src host " },
	{ "ip.dst", "dst host " },	  { "ip.addr", "host " },
	{ "ipv6.src", "src host " },	  { "ipv6.dst", "dst host " },
	{ "ipv6.addr", "host " },	  { "arp.src.proto_ipv4", "arp src host " },
	{ "arp.dst.proto_ipv4", "arp dst host " }, { "tcp.srcport", "tcp src port " },
	{ "tcp.dstport", "tcp dst port " }, { "tcp.port", "tcp port " },
	{ "udp.srcport", "udp src port " }, { "udp.dstport", "udp dst port " },
	{ "udp.port", "udp port " },	  { "vlan.id", "vlan " },
	{ "ip.proto", "ip proto " },
};

static const struct {
	const char *name, *words;
} protocols[] = {
	{ "arp", "arp" }, { "ip", "ip" }, { "ipv6", "ip6" }, { "tcp", "tcp" }, { "udp", "udp" },
	{ "icmp", "icmp" }, { "icmpv6", "icmp6" }, { "igmp", "igmp" }, { "sctp", "sctp" },
	{ "vlan", "vlan" },
};

/* A number or an address: nothing that a filter would read as a word of its own. */
static bool is_value(const char *text)
{
	return *text && strlen(text) < 64 && text[strspn(text, "0123456789abcdefABCDEFx:.")] == '\0';
}

/* By its name, as far as a filter knows it. */
static const char *find_words(const char *name, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
		if (strlen(filters[i].name) == size && !memcmp(filters[i].name, name, size))
			return filters[i].words;
	return NULL;
}

/* Of any field that ether[AT:SIZE] can be said of. */
static bool filter_bytes(const struct dissection_field *field, const uint8_t *data,
			 uint32_t captured, char *out, size_t size)
{
	uint32_t value = 0;

	if ((field->size != 1 && field->size != 2 && field->size != 4) || field->at > captured ||
	    field->size > captured - field->at)
		return false;
	for (uint32_t i = 0; i < field->size; i++)
		value = value << 8 | data[field->at + i];
	snprintf(out, size, "ether[%u:%u] = 0x%0*x", field->at, field->size, (int)field->size * 2,
		 value);
	return true;
}

bool dissection_filter(const struct dissection_field *field, const uint8_t *data,
		       uint32_t captured, char *out, size_t size)
{
	const char *value = strstr(field->filter, " == ");
	const char *words = value ? find_words(field->filter, (size_t)(value - field->filter)) :
				    NULL;

	for (size_t i = 0; !value && i < ARRAY_SIZE(protocols); i++)
		if (strcmp(protocols[i].name, field->filter) == 0) {
			snprintf(out, size, "%s", protocols[i].words);
			return true;
		}
	if (words && is_value(value + 4)) {
		snprintf(out, size, "%s%s", words, value + 4);
		return true;
	}
	return filter_bytes(field, data, captured, out, size);
}
