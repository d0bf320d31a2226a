/* SPDX-License-Identifier: MIT */
/*
 * The configuration file. The format is YAML: operators know it, it has comments, and libyaml gives line and column of
 * each value. libconfig has the latter too, but Debian 12 has a release of 2015 and few know its format; libucl gives
 * no lines; jansson no comments, and lines of syntax errors alone.
 *
 * What YAML is feared for does not happen here: values are texts that the functions of the command line read, so
 * "no" is no country and "1e3" no number, unless a member says so. Aliases (*name) are allowed; they are numbers of
 * nodes for libyaml, so they cannot make a small file large. Two members of one name, tags and a second document are
 * refused.
 */
#include "gateway/config_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <yaml.h>

#include "common/values.h"

struct config_file {
  const char *path;
  yaml_document_t document;
};

/* --- Reading. --- */

static bool refuse_syntax(const char *path, const yaml_parser_t *parser, char *message, size_t size) {
  const char *problem = parser->problem ? parser->problem : "cannot be read";
  if (parser->error == YAML_MEMORY_ERROR) return value_refuse(message, size, "%s: out of memory", path);
  return value_refuse(message, size, "%s:%zu:%zu: %s", path, parser->problem_mark.line + 1,
                      parser->problem_mark.column + 1, problem);
}

/* Fails if there is a second document: it would be ignored. */
static bool end_check(const char *path, yaml_parser_t *parser, char *message, size_t size) {
  yaml_document_t more;
  if (!yaml_parser_load(parser, &more)) return refuse_syntax(path, parser, message, size);
  const yaml_node_t *root = yaml_document_get_root_node(&more);
  size_t line = root ? root->start_mark.line + 1 : 0;
  yaml_document_delete(&more);
  return line ? value_refuse(message, size, "%s:%zu:1: a second document begins here", path, line) : true;
}

static bool document_load(const char *path, FILE *stream, yaml_document_t *document, char *message, size_t size) {
  yaml_parser_t parser;
  if (!yaml_parser_initialize(&parser)) return value_refuse(message, size, "out of memory");
  yaml_parser_set_input_file(&parser, stream);
  bool good = yaml_parser_load(&parser, document);
  if (!good) {
    refuse_syntax(path, &parser, message, size);
  } else if (!end_check(path, &parser, message, size)) {
    yaml_document_delete(document);
    good = false;
  }
  yaml_parser_delete(&parser);
  return good;
}

static bool file_check(const char *path, FILE *stream, char *message, size_t size) {
  struct stat info;
  if (fstat(fileno(stream), &info)) return value_refuse(message, size, "%s: %s", path, strerror(errno));
  if (S_ISDIR(info.st_mode)) return value_refuse(message, size, "%s: this is a folder", path);
  if (info.st_size > CONFIG_FILE_MAX)
    return value_refuse(message, size, "%s: a configuration has at most %d bytes", path, CONFIG_FILE_MAX);
  return true;
}

struct config_file *config_file_read(const char *path, char *message, size_t size) {
  struct config_file *file = calloc(1, sizeof *file);
  FILE *stream = file ? fopen(path, "re") : NULL;
  bool good = false;
  if (!file)
    value_refuse(message, size, "out of memory");
  else if (!stream)
    value_refuse(message, size, "%s: %s", path, strerror(errno));
  else
    good = file_check(path, stream, message, size) && document_load(path, stream, &file->document, message, size);
  if (stream) fclose(stream);
  if (good) {
    file->path = path;
    return file;
  }
  free(file);
  return NULL;
}

void config_file_free(struct config_file *file) {
  if (!file) return;
  yaml_document_delete(&file->document);
  free(file);
}

/* --- Nodes. --- */

static const yaml_node_t *node_get(const struct config_file *file, int node) {
  /* libyaml does not change the document, though it asks for one that is not const. */
  return yaml_document_get_node((yaml_document_t *)(uintptr_t)&file->document, node);
}

static bool refuse_at(const struct config_file *file, const yaml_node_t *node, char *message, size_t size,
                      const char *sentence) {
  char copy[512];
  snprintf(copy, sizeof copy, "%s", sentence); /* it may be in `message` itself */
  return value_refuse(message, size, "%s:%zu:%zu: %s", file->path, node->start_mark.line + 1,
                      node->start_mark.column + 1, copy);
}

/* The text of a scalar; NULL if it is none, or has a NUL inside. */
static const char *node_text(const yaml_node_t *node) {
  if (!node || node->type != YAML_SCALAR_NODE) return NULL;
  const char *text = (const char *)node->data.scalar.value;
  return strlen(text) == node->data.scalar.length ? text : NULL;
}

static bool tag_check(const struct config_file *file, const yaml_node_t *node, char *message, size_t size) {
  const char *tag = (const char *)node->tag;
  if (!tag || !strcmp(tag, YAML_STR_TAG) || !strcmp(tag, YAML_SEQ_TAG) || !strcmp(tag, YAML_MAP_TAG)) return true;
  return refuse_at(file, node, message, size, "tags have no meaning here");
}

/* The name of a member: of the pair `pair` of `node`. NULL: it was refused. */
static const char *name_get(const struct config_file *file, const yaml_node_t *node, const yaml_node_pair_t *pair,
                            char *message, size_t size) {
  const yaml_node_t *key = node_get(file, pair->key);
  const char *name = node_text(key);
  char sentence[320];
  if (!name) {
    refuse_at(file, key, message, size, "the name of a member has to be a text");
    return NULL;
  }
  for (const yaml_node_pair_t *other = node->data.mapping.pairs.start; other < pair; other++) {
    const yaml_node_t *before = node_get(file, other->key);
    const char *text = node_text(before);
    if (!text || strcmp(text, name)) continue;
    snprintf(sentence, sizeof sentence, "'%.200s' is here a second time; the first is in line %zu", name,
             before->start_mark.line + 1);
    refuse_at(file, key, message, size, sentence);
    return NULL;
  }
  return name;
}

static bool mapping_make(const struct config_file *file, int number, struct config_mapping *mapping, char *message,
                         size_t size) {
  const yaml_node_t *node = node_get(file, number);
  *mapping = (struct config_mapping){file, number};
  if (node->type != YAML_MAPPING_NODE)
    return refuse_at(file, node, message, size, "expected members, each as 'name: value'");
  return tag_check(file, node, message, size);
}

bool config_file_root(const struct config_file *file, struct config_mapping *root, char *message, size_t size) {
  if (!node_get(file, 1)) return value_refuse(message, size, "%s: there is nothing in this file", file->path);
  return mapping_make(file, 1, root, message, size);
}

bool config_mapping_find(const struct config_mapping *mapping, const char *name, struct config_mapping *member,
                         bool *found, char *message, size_t size) {
  const yaml_node_t *node = node_get(mapping->file, mapping->node);
  *found = false;
  for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
    const char *text = node_text(node_get(mapping->file, pair->key));
    if (!text || strcmp(text, name)) continue;
    *found = true;
    return mapping_make(mapping->file, pair->value, member, message, size);
  }
  return true;
}

/* --- Members of tables. --- */

static bool name_is_among(const char *name, const char *const *names) {
  for (; names && *names; names++)
    if (!strcmp(name, *names)) return true;
  return false;
}

/* "max-sesions is no member here; there are: a, b". */
static bool refuse_name(const struct config_file *file, const yaml_node_t *key, const char *name,
                        const struct option_spec *table, const char *const *others, char *message, size_t size) {
  char sentence[1024];
  size_t used = (size_t)snprintf(sentence, sizeof sentence, "'%.100s' is no member here; members are ", name);
  const char *comma = "";
  for (; others && *others && used < sizeof sentence; others++, comma = ", ")
    used += (size_t)snprintf(sentence + used, sizeof sentence - used, "%s%s", comma, *others);
  for (; table->name && used < sizeof sentence; table++, comma = ", ")
    used += (size_t)snprintf(sentence + used, sizeof sentence - used, "%s%s", comma, table->name);
  return value_refuse(message, size, "%s:%zu:%zu: %s", file->path, key->start_mark.line + 1, key->start_mark.column + 1,
                      sentence);
}

static bool scalar_set(const struct config_file *file, const yaml_node_t *node, const struct option_spec *row,
                       void *settings, char *message, size_t size) {
  const char *text = node_text(node);
  char why[400] = "", sentence[512];
  size_t index;
  bool good = false;
  if (!text)
    snprintf(why, sizeof why, "expected a text");
  else if (!row->argument)
    good = value_word(text, "no false yes true", &index, why, sizeof why) &&
           (index < 2 || row->set(settings, NULL, why, sizeof why));
  else
    good = (row->kind != VALUE_WORD || value_word(text, row->words, &index, why, sizeof why)) &&
           row->set(settings, text, why, sizeof why);
  if (good) return tag_check(file, node, message, size);
  snprintf(sentence, sizeof sentence, "%s%s%.60s%s: %.380s", row->name, text ? " '" : "", text ? text : "",
           text ? "'" : "", why);
  return refuse_at(file, node, message, size, sentence);
}

static bool value_set_all(const struct config_file *file, int number, const struct option_spec *row, void *settings,
                          char *message, size_t size) {
  const yaml_node_t *node = node_get(file, number);
  char sentence[200];
  if (node->type != YAML_SEQUENCE_NODE) return scalar_set(file, node, row, settings, message, size);
  snprintf(sentence, sizeof sentence, "%s has one value, not a list", row->name);
  if (!row->repeatable) return refuse_at(file, node, message, size, sentence);
  const yaml_node_item_t *item = node->data.sequence.items.start;
  for (; item < node->data.sequence.items.top; item++)
    if (!scalar_set(file, node_get(file, *item), row, settings, message, size)) return false;
  return tag_check(file, node, message, size);
}

bool config_mapping_apply(const struct config_mapping *mapping, const struct option_spec *table, void *settings,
                          const char *const *others, char *message, size_t size) {
  const struct config_file *file = mapping->file;
  const yaml_node_t *node = node_get(file, mapping->node);
  for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
    const char *name = name_get(file, node, pair, message, size);
    const struct option_spec *row = table;
    if (!name) return false;
    if (name_is_among(name, others)) continue;
    while (row->name && strcmp(row->name, name)) row++;
    if (!row->name) return refuse_name(file, node_get(file, pair->key), name, table, others, message, size);
    if (!value_set_all(file, pair->value, row, settings, message, size)) return false;
  }
  return true;
}

bool config_mapping_each(const struct config_mapping *mapping, config_visit visit, void *user_data, char *message,
                         size_t size) {
  const struct config_file *file = mapping->file;
  const yaml_node_t *node = node_get(file, mapping->node);
  for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
    const char *name = name_get(file, node, pair, message, size);
    const yaml_node_t *value = node_get(file, pair->value);
    const char *text = node_text(value);
    struct config_mapping inner;
    if (!name) return false;
    if (!text && !mapping_make(file, pair->value, &inner, message, size)) return false;
    if (visit(user_data, name, text, text ? NULL : &inner, message, size)) continue;
    /* Messages from inside the mapping begin with the file already. */
    return strncmp(message, file->path, strlen(file->path))
               ? refuse_at(file, text ? value : node_get(file, pair->key), message, size, message)
               : false;
  }
  return true;
}
