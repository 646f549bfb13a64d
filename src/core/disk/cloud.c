/* See cloud.h. useradd(8), RFC 1123 §2.1. */
#include "core/disk/cloud.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "control/message_text.h"
#include "core/disk/cloud_files.h"

#define USER_MAX 32
#define HOST_MAX 64	   /* of Linux */
#define HOST_LABEL_MAX 63 /* between two dots */

/* Documents being made. */
struct cloud {
	const struct profile *profile;
	const struct profile_cloud *words;
	json_t *config; /* what is to be done */
	json_t *user;	/* who is made */
	char hostname[HOST_MAX + 1];
	char *own;	/* user data that is a file's */
	size_t own_size;
};

static int no_memory(struct cause *cause)
{
	return cause_set(cause, ENOMEM, "no memory");
}

static int set(json_t *object, const char *key, json_t *value, struct cause *cause)
{
	return json_object_set_new(object, key, value) < 0 ? no_memory(cause) : 0;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return true;
	return false;
}

/* Appends to a list in the configuration, which is made if need be. */
static int append(json_t *config, const char *key, json_t *value, struct cause *cause)
{
	json_t *list = json_object_get(config, key);

	if (!list && set(config, key, json_array(), cause) == 0)
		list = json_object_get(config, key);
	return json_array_append_new(list, value) < 0 ? no_memory(cause) : 0;
}

/* --- a function for each key --- */

static int take_user_data(struct cloud *cloud, struct cause *cause)
{
	const struct profile_cloud *words = cloud->words;

	if (words->user || words->password_file || words->ssh_key || words->timezone ||
	    words->packages || words->upgrade || words->run)
		return cause_set(cause, EINVAL, "is all that cloud-init is told; leave out the "
				 "other keys but hostname, or this one");
	cloud->own = cloud_read_user_data(words->user_data, &cloud->own_size, cause);
	return cloud->own ? 0 : -EINVAL;
}

static int take_user(struct cloud *cloud, struct cause *cause)
{
	const char *name = cloud->words->user;
	size_t size = strlen(name);

	if (!size || size > USER_MAX || (!islower((unsigned char)*name) && *name != '_') ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")])
		return cause_set(cause, EINVAL, "'%.64s' is no user's name; use up to %d small "
				 "letters, digits, '-' and '_', with a letter first", name,
				 USER_MAX);
	return set(cloud->user, "name", message_text(name), cause);
}

static int take_password(struct cloud *cloud, struct cause *cause)
{
	const struct profile_cloud *words = cloud->words;
	char salt[NAME_SIZE + USER_MAX + 2], *hash;
	int err;

	if (!words->user)
		return cause_set(cause, EINVAL, "is that of user; write user= too");
	snprintf(salt, sizeof(salt), "%s/%.*s", cloud->profile->name, USER_MAX, words->user);
	hash = cloud_read_password(words->password_file, salt, cause);
	if (!hash)
		return -EINVAL;
	err = set(cloud->user, "hashed_passwd", message_text(hash), cause);
	free(hash);
	if (!err)
		err = set(cloud->user, "lock_passwd", json_false(), cause);
	/* Whoever has no key comes by this alone. */
	if (!err && !words->ssh_key)
		err = set(cloud->config, "ssh_pwauth", json_true(), cause);
	return err;
}

static int take_key(struct cloud *cloud, struct cause *cause)
{
	json_t *keys = json_array();
	int err = keys ? cloud_read_keys(keys, cloud->words->ssh_key, cause) : no_memory(cause);

	if (err) {
		json_decref(keys);
		return err;
	}
	return set(cloud->user, "ssh_authorized_keys", keys, cause);
}

/* Letters, digits and '-', and dots between those. */
static bool is_hostname(const char *name)
{
	for (size_t label; *name; name += label + (name[label] == '.')) {
		label = strcspn(name, ".");
		if (!label || label > HOST_LABEL_MAX || *name == '-' || name[label - 1] == '-' ||
		    (name[label] && !name[label + 1]))
			return false;
		for (size_t i = 0; i < label; i++)
			if (!isalnum((unsigned char)name[i]) && name[i] != '-')
				return false;
	}
	return true;
}

static int take_hostname(struct cloud *cloud, struct cause *cause)
{
	const char *name = cloud->words->hostname;

	if (!*name || strlen(name) > HOST_MAX || !is_hostname(name))
		return cause_set(cause, EINVAL, "'%.80s' is no name of a host; use letters, digits "
				 "and '-'", name);
	snprintf(cloud->hostname, sizeof(cloud->hostname), "%s", name);
	return 0;
}

static int take_timezone(struct cloud *cloud, struct cause *cause)
{
	const char *zone = cloud->words->timezone;

	if (!isalpha((unsigned char)*zone) || has_control(zone) || strstr(zone, "..") ||
	    strpbrk(zone, " \\\"'"))
		return cause_set(cause, EINVAL, "'%.64s' is no time zone; write one such as "
				 "Europe/Berlin", zone);
	return set(cloud->config, "timezone", message_text(zone), cause);
}

static int add_package(json_t *list, const char *name, size_t size, struct cause *cause)
{
	char *copy = strndup(name, size);
	json_t *text = copy ? message_text(copy) : NULL;
	bool valid = copy && isalnum((unsigned char)*copy) &&
		     !copy[strspn(copy, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789+-._:=~/@")];

	free(copy);
	if (!valid) {
		json_decref(text);
		return cause_set(cause, EINVAL, "'%.*s' is no package; write their names with "
				 "blanks or commas between them", (int)(size < 64 ? size : 64), name);
	}
	return json_array_append_new(list, text) < 0 ? no_memory(cause) : 0;
}

static int take_packages(struct cloud *cloud, struct cause *cause)
{
	const char *at = cloud->words->packages;
	json_t *list = json_array();
	int err = list ? 0 : no_memory(cause);
	size_t size;

	for (; !err && *(at += strspn(at, ", \t")); at += size) {
		size = strcspn(at, ", \t");
		err = add_package(list, at, size, cause);
	}
	if (!err)
		err = set(cloud->config, "package_update", json_true(), cause);
	if (err) {
		json_decref(list);
		return err;
	}
	return set(cloud->config, "packages", list, cause);
}

static int take_run(struct cloud *cloud, struct cause *cause)
{
	if (has_control(cloud->words->run))
		return cause_set(cause, EINVAL, "has a control character; write a tab as \\t");
	return append(cloud->config, "runcmd", message_text(cloud->words->run), cause);
}

/* Those with a text, at that place of struct profile_cloud. */
static const struct {
	const char *key;
	size_t text;
	int (*take)(struct cloud *cloud, struct cause *cause);
} rows[] = {
	{ "user_data", offsetof(struct profile_cloud, user_data), take_user_data },
	{ "user", offsetof(struct profile_cloud, user), take_user },
	{ "password_file", offsetof(struct profile_cloud, password_file), take_password },
	{ "ssh_key", offsetof(struct profile_cloud, ssh_key), take_key },
	{ "hostname", offsetof(struct profile_cloud, hostname), take_hostname },
	{ "timezone", offsetof(struct profile_cloud, timezone), take_timezone },
	{ "packages", offsetof(struct profile_cloud, packages), take_packages },
	{ "run", offsetof(struct profile_cloud, run), take_run },
};

static bool is_given(const struct cloud *cloud, size_t row)
{
	return *(char *const *)(const void *)((const char *)cloud->words + rows[row].text);
}

/* --- all of them --- */

/* What the guest is called, as a host can be. */
static void name_host(struct cloud *cloud)
{
	char *at = cloud->hostname;

	snprintf(at, sizeof(cloud->hostname), "%s", cloud->profile->name);
	for (; *at; at++)
		if (*at == '_')
			*at = '-';
	while (at > cloud->hostname && strchr("-.", at[-1]))
		*--at = '\0';
	if (!is_hostname(cloud->hostname))
		snprintf(cloud->hostname, sizeof(cloud->hostname), "guest");
}

static int begin(struct cloud *cloud, const struct profile *profile, struct cause *cause)
{
	*cloud = (struct cloud){ .profile = profile, .words = &profile->cloud,
				 .config = json_object(), .user = json_object() };
	name_host(cloud);
	return cloud->config && cloud->user ? 0 : no_memory(cause);
}

static void end(struct cloud *cloud)
{
	json_decref(cloud->config);
	json_decref(cloud->user);
	if (cloud->own)
		explicit_bzero(cloud->own, cloud->own_size);
	free(cloud->own);
}

/* FNV-1a. */
static uint64_t add_hash(uint64_t hash, const char *text)
{
	for (; text && *text; text++)
		hash = (hash ^ (uint8_t)*text) * 1099511628211u;
	return (hash ^ 0xff) * 1099511628211u;
}

static int put(struct cloud_documents *out, enum cloud_document document, const char *head,
	       const json_t *value, struct cause *cause)
{
	size_t size;
	char *text = value ? message_dump(value, JSON_INDENT(1), &size) : NULL;
	int n = text ? asprintf(&out->list[document].text, "%s%s\n", head, text) : -1;

	if (text)
		explicit_bzero(text, size);
	free(text);
	if (n < 0) {
		out->list[document].text = NULL;
		return no_memory(cause);
	}
	out->list[document].size = (size_t)n;
	return 0;
}

/*
 * The host reaches its guests by vsock alone: systemd listens there for sshd(8), as it does
 * of its own accord from version 256 on. Where there is no systemd, nothing happens.
 */
static int add_vsock_ssh(json_t *config, struct cause *cause)
{
	static const struct {
		const char *path, *text;
	} units[] = {
		{ "/etc/systemd/system/vmdeck-ssh.socket",
		  "[Unit]\nDescription=ssh by vsock, for the host\n"
		  "[Socket]\nListenStream=vsock::22\nAccept=yes\n"
		  "[Install]\nWantedBy=sockets.target\n" },
		{ "/etc/systemd/system/vmdeck-ssh@.service",
		  "[Unit]\nDescription=ssh by vsock, for the host\n"
		  "[Service]\nExecStart=-/usr/sbin/sshd -i\nStandardInput=socket\n"
		  "RuntimeDirectory=sshd\nRuntimeDirectoryPreserve=yes\n" },
	};
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(units); i++)
		err = append(config, "write_files",
			     json_pack("{s:o, s:o}", "path", message_text(units[i].path), "content",
				       message_text(units[i].text)), cause);
	return err ? err : append(config, "runcmd",
				  message_text("if command -v systemctl; then systemctl daemon-reload; "
					       "systemctl enable --now vmdeck-ssh.socket; fi"),
				  cause);
}

static int put_user_data(struct cloud *cloud, struct cloud_documents *out, struct cause *cause)
{
	int err = 0;

	if (cloud->own) {
		out->list[CLOUD_USER_DATA].text = cloud->own;
		out->list[CLOUD_USER_DATA].size = cloud->own_size;
		cloud->own = NULL;
		return 0;
	}
	/* With a name of ours the user is the image's own in all else: groups, shell, sudo. */
	if (json_object_size(cloud->user))
		err = set(cloud->config, "user", json_incref(cloud->user), cause);
	if (!err)
		err = set(cloud->config, "manage_etc_hosts", message_text("localhost"), cause);
	if (!err && cloud->profile->vsock.present)
		err = add_vsock_ssh(cloud->config, cause);
	return err ? err : put(out, CLOUD_USER_DATA, "#cloud-config\n", cloud->config, cause);
}

/* Without this document cloud-init sets up the first card alone. */
static int put_network(struct cloud *cloud, struct cloud_documents *out, struct cause *cause)
{
	json_t *cards = json_object(), *network;
	struct profile_net *const *nets = cloud->profile->nets;
	unsigned count = 0;
	char name[16], mac[18];
	int err = cards ? 0 : no_memory(cause);

	for (unsigned i = 0; !err && i < PROFILE_NETS_MAX; i++) {
		if (!nets[i])
			continue;
		snprintf(name, sizeof(name), "net%u", i);
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", nets[i]->mac[0],
			 nets[i]->mac[1], nets[i]->mac[2], nets[i]->mac[3], nets[i]->mac[4],
			 nets[i]->mac[5]);
		err = set(cards, name,
			  json_pack("{s:{s:o}, s:b, s:b}", "match", "macaddress", message_text(mac),
				    "dhcp4", 1, "optional", count++ != 0), cause);
	}
	if (err || count < 2) {
		json_decref(cards);
		return err;
	}
	network = json_pack("{s:i, s:o}", "version", 2, "ethernets", cards);
	err = put(out, CLOUD_NETWORK_CONFIG, "", network, cause);
	json_decref(network);
	return err;
}

/* Last: its instance is another one when anything before it is. */
static int put_meta_data(struct cloud *cloud, struct cloud_documents *out, struct cause *cause)
{
	uint64_t hash = 14695981039346656037u;
	json_t *meta;
	char id[32];
	int err;

	hash = add_hash(hash, cloud->profile->name);
	hash = add_hash(hash, cloud->hostname);
	hash = add_hash(hash, out->list[CLOUD_USER_DATA].text);
	hash = add_hash(hash, out->list[CLOUD_NETWORK_CONFIG].text);
	snprintf(id, sizeof(id), "vmdeck-%016" PRIx64, hash);
	meta = json_pack("{s:o, s:o}", "instance-id", message_text(id), "local-hostname",
			 message_text(cloud->hostname));
	err = put(out, CLOUD_META_DATA, "", meta, cause);
	json_decref(meta);
	return err;
}

const char *cloud_document_name(enum cloud_document document)
{
	static const char *const names[] = { "meta-data", "user-data", "network-config" };

	return names[document];
}

int cloud_make(struct cloud_documents *out, const struct profile *profile, struct cause *cause)
{
	struct cloud cloud;
	int err = begin(&cloud, profile, cause);

	*out = (struct cloud_documents){ 0 };
	for (size_t i = 0; !err && i < ARRAY_SIZE(rows); i++) {
		if (!is_given(&cloud, i))
			continue;
		err = rows[i].take(&cloud, cause);
		if (err)
			cause_prefix(cause, err, "%s", rows[i].key);
	}
	if (!err && cloud.words->upgrade)
		err = set(cloud.config, "package_upgrade", json_true(), cause);
	if (!err)
		err = put_user_data(&cloud, out, cause);
	if (!err)
		err = put_network(&cloud, out, cause);
	if (!err)
		err = put_meta_data(&cloud, out, cause);
	end(&cloud);
	if (err)
		cloud_free(out);
	return err;
}

void cloud_free(struct cloud_documents *documents)
{
	for (unsigned i = 0; i < CLOUD_DOCUMENTS; i++) {
		if (documents->list[i].text)
			explicit_bzero(documents->list[i].text, documents->list[i].size);
		free(documents->list[i].text);
		documents->list[i].text = NULL;
	}
}

void cloud_check(const struct profile *profile,
		 void (*found)(void *arg, const char *key, bool warning, const char *text),
		 void *arg)
{
	struct cloud cloud;
	struct cause cause;

	if (begin(&cloud, profile, &cause) == 0)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			if (is_given(&cloud, i) && rows[i].take(&cloud, &cause) < 0)
				found(arg, rows[i].key, false, cause.text);
	if (cloud.words->user && !cloud.words->ssh_key && !cloud.words->password_file &&
	    !cloud.words->user_data)
		found(arg, "user", true, "nobody can log in as this user; write ssh_key= or "
		      "password_file= too");
	end(&cloud);
}
