/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * openapi: the API as an OpenAPI 3.1 document, made from routes.def, params.def, fields.def and problems.def; so it
 * cannot tell anything else than what is served. Built once, with jansson.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "config.h"
#include "endpoint/endpoint.h"

static char *document;
static char etag[32];

/* {"type": type} with a pattern or not */
static json_t *type_schema(const char *type, const char *pattern)
{
	json_t *schema = json_pack("{s:s}", "type", type);

	if (pattern)
		json_object_set_new(schema, "pattern", json_string(pattern));
	return schema;
}

#define SCHEMA_ADDR() type_schema("string", "^0x[0-9a-f]{1,16}$")
#define SCHEMA_HEX() type_schema("string", "^0x[0-9a-f]{1,16}$")
#define SCHEMA_DEC() type_schema("string", "^[0-9]{1,20}$")
#define SCHEMA_U64() json_pack("{s:s, s:i}", "type", "integer", "minimum", 0)
#define SCHEMA_PID() json_pack("{s:s, s:i}", "type", "integer", "minimum", 0)
#define SCHEMA_RATIO() json_pack("{s:s, s:i}", "type", "number", "minimum", 0)
#define SCHEMA_BOOL() type_schema("boolean", NULL)
#define SCHEMA_PERMS() type_schema("string", "^[r-][w-][x-][ps]$")
#define SCHEMA_DEVICE() type_schema("string", "^[0-9a-f]{2,}:[0-9a-f]{2,}$")
#define SCHEMA_WORD() type_schema("string", NULL)
#define SCHEMA_STR() type_schema("string", NULL)
#define SCHEMA_WORDS() json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string")
#define SCHEMA_NUMBERS() json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "integer")
#define SCHEMA_LINES() SCHEMA_WORDS()

#define IS_STR_ADDR false
#define IS_STR_HEX false
#define IS_STR_DEC false
#define IS_STR_U64 false
#define IS_STR_PID false
#define IS_STR_RATIO false
#define IS_STR_BOOL false
#define IS_STR_PERMS false
#define IS_STR_DEVICE false
#define IS_STR_WORD false
#define IS_STR_STR true
#define IS_STR_WORDS false
#define IS_STR_NUMBERS false
#define IS_STR_LINES false

#define IS_MUST true
#define IS_MAY false

static void add_property(json_t *schema, const char *name, json_t *property, const char *help, bool must)
{
	json_object_set_new(property, "description", json_string(help));
	json_object_set_new(json_object_get(schema, "properties"), name, property);
	if (must)
		json_array_append_new(json_object_get(schema, "required"), json_string(name));
}

static void add_escaped(json_t *schema, const char *name)
{
	char flag[64];

	snprintf(flag, sizeof(flag), "%s_escaped", name);
	add_property(schema, flag, json_pack("{s:b}", "const", 1),
		     "the bytes were not valid UTF-8: each bad byte stands as \\xHH, and each backslash is doubled",
		     false);
}

static json_t *record_schema(const char *help)
{
	return json_pack("{s:s, s:s, s:{}, s:[]}", "type", "object", "description", help, "properties", "required");
}

static json_t *reference(const char *record)
{
	return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s", record));
}

static json_t *record_schemas(void)
{
	json_t *schemas = json_object(), *schema = NULL;

#define RECORD(record, help) schema = record_schema(help);
#define FIELD(record, member, type, need, json, help)				\
	add_property(schema, json, SCHEMA_##type(), help, IS_##need);		\
	if (IS_STR_##type)							\
		add_escaped(schema, json);
#define SUB(record, member, other, json, help) add_property(schema, json, reference(#other), help, false);
#define LIST(record, member, other, json, help)					\
	add_property(schema, json, json_pack("{s:s, s:o}", "type", "array", "items", reference(#other)), help, true);
#define END(record) json_object_set_new(schemas, #record, schema);
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END
	return schemas;
}

static const char *record_name(enum vmad_record_id id)
{
	static const char *const names[VMAD_RECORDS] = {
#define RECORD(record, help) [VMAD_RECORD_##record] = #record,
#define FIELD(record, member, type, need, json, help)
#define SUB(record, member, other, json, help)
#define END(record)
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END
	};

	return names[id];
}

/* Members that are there only sometimes: the record's properties, none of them required. */
static void merge_part(json_t *schema, json_t *records, const struct route_part *part)
{
	json_t *record = json_object_get(records, record_name(part->record));

	json_object_update(json_object_get(schema, "properties"), json_object_get(record, "properties"));
	if (part->always)
		json_array_extend(json_object_get(schema, "required"), json_object_get(record, "required"));
}

static void merge_parts(json_t *schema, json_t *records, const struct route_part *parts)
{
	for (int i = 0; i < ROUTE_PARTS_MAX && parts[i].record != VMAD_RECORD_none; i++)
		merge_part(schema, records, &parts[i]);
}

/* What one reply holds: its head's members, the list of rows, its tail's members. */
static json_t *reply_schema(const struct route *route, json_t *records)
{
	json_t *schema = record_schema(route->help);

	merge_parts(schema, records, route->head);
	if (route->list) {
		json_t *row = record_schema("one record");

		merge_parts(row, records, route->rows);
		add_property(schema, route->list, json_pack("{s:s, s:o}", "type", "array", "items", row), "the records",
			     true);
	}
	merge_parts(schema, records, route->tail);
	if (route->list)
		add_property(schema, "problem", reference("problem"),
			     "why the list ends here, where reading failed on the way", false);
	return schema;
}

static json_t *words_schema(const char *words)
{
	json_t *schema = json_pack("{s:s, s:[]}", "type", "string", "enum"), *list = json_object_get(schema, "enum");

	while (*words) {
		size_t n = strcspn(words, ",");

		json_array_append_new(list, json_stringn(words, n));
		words += n + (words[n] == ',');
	}
	return schema;
}

static json_t *param_schema(const struct param *param)
{
	switch (param->type) {
	case PARAM_TYPE_PID:
		return json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", 1, "maximum", 4194304);
	case PARAM_TYPE_ADDR:
	case PARAM_TYPE_PFN:
		return type_schema("string", "^(0[xX])?[0-9a-fA-F]+$");
	case PARAM_TYPE_U64:
	case PARAM_TYPE_UID:
		return json_pack("{s:s, s:i}", "type", "integer", "minimum", 0);
	case PARAM_TYPE_LIMIT:
		return json_pack("{s:s, s:i}", "type", "integer", "minimum", 1);
	case PARAM_TYPE_SIZE:
		return type_schema("string", "^[0-9]+[KMGT]?$");
	case PARAM_TYPE_BOOL:
		return type_schema("boolean", NULL);
	case PARAM_TYPE_PERMS:
		return type_schema("string", "^[r.-][w.-][x.-][ps.]$");
	case PARAM_TYPE_FILE:
		return json_pack("{s:s, s:s, s:i}", "type", "string", "pattern", "^/", "maxLength", 4095);
	case PARAM_TYPE_DEVICE:
		return type_schema("string", "^[0-9a-f]{1,8}:[0-9a-f]{1,8}$");
	case PARAM_TYPE_INODE:
		return type_schema("string", "^[0-9]{1,20}$");
	case PARAM_TYPE_CHOICE:
		return words_schema(param->choices);
	case PARAM_TYPE_KINDS:
	case PARAM_TYPE_GLOB:
	case PARAM_TYPE_CURSOR:
		return json_pack("{s:s, s:i}", "type", "string", "minLength", 1);
	}
	return json_object();
}

static json_t *param_object(enum param_id id, const char *in)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:o}",
			 "name", params[id].name, "in", in, "required", !strcmp(in, "path"),
			 "description", params[id].help, "schema", param_schema(&params[id]));
}

static json_t *param_list(const struct route *route)
{
	json_t *list = json_array();
	char braces[64];

	for (int id = PARAM_none + 1; id < PARAMS; id++) {
		snprintf(braces, sizeof(braces), "{%s}", params[id].name);
		if (strstr(route->path, braces))
			json_array_append_new(list, param_object((enum param_id)id, "path"));
	}
	for (int i = 0; i < ROUTE_PARAMS_MAX && route->params[i] != PARAM_none; i++)
		json_array_append_new(list, param_object(route->params[i], "query"));
	return list;
}

static json_t *reply_content(const struct route *route, json_t *records)
{
	if (route->id == ROUTE_metrics)
		return json_pack("{s:{s:{s:s}}}", "text/plain", "schema", "type", "string");
	return json_pack("{s:{s:o}}", "application/json", "schema", reply_schema(route, records));
}

static json_t *responses(const struct route *route, json_t *records)
{
	json_t *content = reply_content(route, records);

	if (route->list)
		json_object_set_new(content, "application/x-ndjson",
				    json_pack("{s:{s:s, s:s}}", "schema", "type", "string", "description",
					      "a line that begins, one for each record, and one with the verdict"));
	return json_pack("{s:{s:s, s:o}, s:{s:s}, s:{s:s}}",
			 "200", "description", route->help, "content", content,
			 "4XX", "$ref", "#/components/responses/problem",
			 "5XX", "$ref", "#/components/responses/problem");
}

/* Both where it depends on how vmad was started. */
static json_t *security_of(const struct route *route)
{
	if (route->id == ROUTE_health)
		return json_array();
	return route->id == ROUTE_metrics ? json_pack("[{}, {s:[]}]", "token") : json_pack("[{s:[]}]", "token");
}

static json_t *operation(const struct route *route, json_t *records)
{
	json_t *operation = json_pack("{s:s, s:s, s:s, s:[s], s:o, s:o}",
				      "operationId", route->name, "summary", route->help, "description", route->help,
				      "tags", "vmad", "parameters", param_list(route),
				      "responses", responses(route, records));

	json_object_set_new(operation, "x-cost", json_string(route_cost_name(route->cost)));
	json_object_set_new(operation, "security",
			    security_of(route));
	return operation;
}

static json_t *paths(json_t *records)
{
	json_t *paths_object = json_object();

	for (int i = 0; i < ROUTES; i++) {
		json_t *path = json_object_get(paths_object, routes[i].path);
		char method[16];
		size_t n = 0;

		if (!path) {
			path = json_object();
			json_object_set_new(paths_object, routes[i].path, path);
		}
		for (; n < sizeof(method) - 1 && routes[i].method[n]; n++)
			method[n] = (char)(routes[i].method[n] | 0x20);
		method[n] = '\0';
		json_object_set_new(path, method, operation(&routes[i], records));
	}
	return paths_object;
}

static json_t *build(void)
{
	json_t *records = record_schemas();
	json_t *all_paths = paths(records);

	return json_pack("{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}}, s:[{s:s}], s:[{s:s, s:s}], s:o, "
			 "s:{s:o, s:{s:{s:s, s:{s:{s:{s:s}}}}}, s:{s:{s:s, s:s, s:s}}}}",
			 "openapi", "3.1.0",
			 "info", "title", "vmad", "version", PACKAGE_VERSION,
				 "description", "Virtual memory of a Linux host, live.",
				 "license", "name", "GPL-2.0-or-later", "identifier", "GPL-2.0-or-later",
			 "servers", "url", "http://localhost:8623",
			 "tags", "name", "vmad", "description", "processes and their address spaces",
			 "paths", all_paths,
			 "components", "schemas", records,
				       "responses", "problem", "description", "an error (RFC 9457)",
						    "content", "application/problem+json",
						    "schema", "$ref", "#/components/schemas/problem",
				       "securitySchemes", "token", "type", "http", "scheme", "bearer", "description",
						    "needed over TCP; over the Unix socket the kernel says who asks");
}

/* FNV-1a: an ETag only has to differ when the text does. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash;
}

bool openapi_prepare(void)
{
	json_t *object = build();

	document = object ? json_dumps(object, JSON_INDENT(1)) : NULL;
	json_decref(object);
	if (document)
		snprintf(etag, sizeof(etag), "\"%016llx\"", (unsigned long long)hash_of(document));
	return document != NULL;
}

void openapi_forget(void)
{
	free(document);
	document = NULL;
}

void endpoint_openapi(struct request *request)
{
	reply_static(request, "application/json", document, strlen(document), etag);
}
