// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes a map of the communication for Graphviz, `dot -Tsvg`. Processes are boxes; objects with
 * indirect addressing (pipes, queues) are nodes between them; sockets and signals are edges from
 * process to process. Each edge sums up its messages. Shared memory is a cylinder, with a line
 * from each process that had it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/compare.h"
#include "viz/base/memory.h"
#include "viz/base/safe_text.h"
#include "viz/format/names.h"
#include "viz/render/common/palette.h"
#include "viz/render/common/steps.h"
#include "viz/render/render.h"

enum { EDGES_MOST = 400, NAME_MOST = 40, NOTE_MOST = 160, LANES_ALWAYS = 60 };

/* Nodes: lanes first, then these, then objects, then shared memory. */
enum { NODE_OUTSIDE, NODE_KERNEL, NODE_NOBODY, NODES };

struct edge {
	size_t from; /* node */
	size_t to;
	enum mechanism mechanism;
	uint64_t messages;
	uint64_t bytes;
	uint64_t latency_ns; /* sum */
	uint64_t timed;	     /* messages in that sum */
	bool ambiguous;	     /* one of its messages is ambiguous */
};

struct map {
	const struct scene *scene;
	FILE *out;
	struct edge *edges;
	size_t count;
	size_t capacity;
	bool *shown; /* [node] */
};

/* --- edges --- */

static size_t node_of_lane(const struct map *map, int lane, enum scene_outsider outsider)
{
	size_t lanes = map->scene->lane_count;

	if (lane >= 0)
		return (size_t)lane;
	if (lane == SCENE_NOWHERE || outsider == SCENE_NOBODY)
		return lanes + NODE_NOBODY;
	return lanes + (outsider == SCENE_THE_KERNEL ? NODE_KERNEL : NODE_OUTSIDE);
}

static size_t node_count(const struct map *map)
{
	return map->scene->lane_count + NODES + map->scene->object_count + map->scene->memory_count;
}

static size_t node_of_memory(const struct map *map, size_t memory)
{
	return map->scene->lane_count + NODES + map->scene->object_count + memory;
}

static void add_edge(struct map *map, size_t from, size_t to, const struct scene_message *m)
{
	struct edge *edge;

	map->edges = list_grow(map->edges, map->count, &map->capacity, sizeof(*edge));
	edge = &map->edges[map->count++];
	*edge = (struct edge){from, to, m->mechanism, 1, m->bytes, 0, 0, m->ambiguous};
	if (m->sent_ns != SCENE_NEVER && m->received_ns != SCENE_NEVER &&
	    m->received_ns >= m->sent_ns) {
		edge->latency_ns = m->received_ns - m->sent_ns;
		edge->timed = 1;
	}
}

/*
 * Adds a message. With indirect addressing it is an edge to the object and, if it was received, one
 * from it.
 */
static void add_message(struct map *map, const struct scene_message *m)
{
	size_t from = node_of_lane(map, m->from, m->outsider);
	size_t to = node_of_lane(map, m->to, m->outsider);
	size_t object = map->scene->lane_count + NODES + m->object;

	if (m->object == SCENE_NONE ||
	    mechanism_info(m->mechanism)->addressing != ADDRESSING_INDIRECT) {
		add_edge(map, from, to, m);
		return;
	}
	add_edge(map, from, object, m);
	if (m->to != SCENE_NOWHERE && m->part == SCENE_WHOLE)
		add_edge(map, object, to, m);
}

static int by_ends(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return COMPARE(x->from, y->from)
		       ?: COMPARE(x->to, y->to)
		       ?: COMPARE(x->mechanism, y->mechanism);
}

/* Sorts the busiest edges first. */
static int by_messages(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return COMPARE(y->messages, x->messages) ?: by_ends(a, b);
}

static void sum_edges(struct map *map)
{
	size_t kept = 0;

	if (!map->count)
		return;
	qsort(map->edges, map->count, sizeof(*map->edges), by_ends);
	for (size_t i = 1; i < map->count; i++) {
		struct edge *sum = &map->edges[kept];
		const struct edge *edge = &map->edges[i];

		if (by_ends(sum, edge) != 0) {
			map->edges[++kept] = *edge;
			continue;
		}
		sum->messages += edge->messages;
		sum->bytes += edge->bytes;
		sum->latency_ns += edge->latency_ns;
		sum->timed += edge->timed;
		sum->ambiguous |= edge->ambiguous;
	}
	map->count = kept + 1;
	qsort(map->edges, map->count, sizeof(*map->edges), by_messages);
}

/* --- writing --- */

/* Writes text inside "…", where Graphviz interprets \ escapes and HTML entities. */
static void put_escaped(struct map *map, const char *text, size_t most)
{
	size_t len = render_cut(text, most);

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			putc('\\', map->out);
		fputs(text[i] == '&' ? "&amp;" : "", map->out);
		if (text[i] != '&')
			putc(text[i], map->out);
	}
	if (text[len])
		fputs("…", map->out);
}

/* Writes and frees the text. */
static void put_owned(struct map *map, char *text)
{
	put_escaped(map, text, SIZE_MAX);
	free(text);
}

static const char *const node_words[NODES] = {
	[NODE_OUTSIDE] = "(not traced)",
	[NODE_KERNEL] = "(kernel)",
	[NODE_NOBODY] = "(nobody)",
};

static void put_memory(struct map *map, const struct scene_memory *memory)
{
	char buf[SCENE_QUANTITY];

	fprintf(map->out, "shape=cylinder, color=\"%s\", label=\"",
		render_colours(render_family(memory->mechanism))->light);
	put_escaped(map, memory->name, NAME_MOST);
	if (memory->bytes)
		fprintf(map->out, "\\n%s", scene_say_bytes(map->scene, memory->bytes, buf));
	fputs("\"];\n", map->out);
}

static void put_node(struct map *map, size_t node)
{
	const struct scene *scene = map->scene;
	size_t lanes = scene->lane_count;

	fprintf(map->out, "\tn%zu [", node);
	if (node >= node_of_memory(map, 0)) {
		put_memory(map, &scene->memories[node - node_of_memory(map, 0)]);
		return;
	}
	if (node < lanes) {
		fputs("label=\"", map->out);
		put_owned(map, render_lane_name(&scene->lanes[node]));
		fputs("\"];\n", map->out);
	} else if (node < lanes + NODES) {
		fprintf(map->out, "shape=plaintext, label=\"%s\"];\n",
			scene_say(scene, node_words[node - lanes]));
	} else {
		const struct scene_object *object = &scene->objects[node - lanes - NODES];

		fprintf(map->out, "shape=cds, color=\"%s\", label=\"",
			render_colours(render_family(object->mechanism))->light);
		put_escaped(map, object->name, NAME_MOST);
		fputs("\"];\n", map->out);
	}
}

static double pen_width(uint64_t bytes)
{
	double width = 1;

	for (; bytes >= 16; bytes /= 16)
		width += 0.5;
	return width;
}

static void put_edge(struct map *map, const struct edge *edge)
{
	bool object = edge->from >= map->scene->lane_count + NODES ||
		      edge->to >= map->scene->lane_count + NODES;
	char buf[SCENE_QUANTITY];

	fprintf(map->out, "\tn%zu -> n%zu [color=\"%s\", penwidth=%.1f%s, label=\"", edge->from,
		edge->to, render_colours(render_family(edge->mechanism))->light,
		pen_width(edge->bytes), edge->mechanism == MECH_SIGNAL ? ", style=dashed" : "");
	if (!object && edge->mechanism != MECH_SIGNAL)
		fprintf(map->out, "%s\\n", mechanism_info(edge->mechanism)->name);
	fprintf(map->out, "%s %s%s", scene_say_count(map->scene, edge->messages, buf),
		scene_say(map->scene, edge->mechanism == MECH_SIGNAL
					      ? (edge->messages == 1 ? "signal" : "signals")
					      : (edge->messages == 1 ? "message" : "messages")),
		edge->ambiguous ? "?" : "");
	if (edge->bytes)
		fprintf(map->out, "\\n%s", scene_say_bytes(map->scene, edge->bytes, buf));
	if (edge->timed && !object)
		fprintf(map->out, "\\n%s %s", scene_say(map->scene, "mean"),
			scene_say_duration(map->scene, edge->latency_ns / edge->timed, buf));
	fputs("\"];\n", map->out);
}

/* The first of a process's uses of the memory that no other tells of. */
static bool is_first(const struct scene_memory *memory, size_t haver)
{
	for (size_t i = 0; i < haver; i++)
		if (memory->havers[i].lane == memory->havers[haver].lane)
			return false;
	return memory->havers[haver].lane >= 0;
}

/* Lines without heads: who has it may read and write, and no call tells. */
static void put_havers(struct map *map, size_t index)
{
	const struct scene_memory *memory = &map->scene->memories[index];

	for (size_t i = 0; i < memory->haver_count; i++) {
		const struct scene_haver *haver = &memory->havers[i];

		if (!is_first(memory, i))
			continue;
		fprintf(map->out, "\tn%d -> n%zu [color=\"%s\", arrowsize=0, label=\"", haver->lane,
			node_of_memory(map, index),
			render_colours(render_family(memory->mechanism))->light);
		put_escaped(map, *haver->how ? haver->how : scene_say(map->scene, "attached"),
			    NAME_MOST);
		fputs("\"];\n", map->out);
	}
}

/* Memory that one process alone had is no way to anybody. */
static bool is_between(const struct scene_memory *memory)
{
	for (size_t i = 1; i < memory->haver_count; i++)
		if (memory->havers[i].lane != memory->havers[0].lane)
			return true;
	return memory->mechanism == MECH_SYSV_SHM;
}

static void show_memories(struct map *map)
{
	for (size_t i = 0; i < map->scene->memory_count; i++) {
		const struct scene_memory *memory = &map->scene->memories[i];

		map->shown[node_of_memory(map, i)] = is_between(memory);
		for (size_t k = 0; is_between(memory) && k < memory->haver_count; k++)
			if (memory->havers[k].lane >= 0)
				map->shown[memory->havers[k].lane] = true;
	}
}

static void put_note(struct map *map, const char *note)
{
	fputs("\\l! ", map->out);
	put_escaped(map, note, NOTE_MOST);
}

/* Writes the notes below the map, and what was left out. */
static void put_notes(struct map *map, size_t edges)
{
	const struct scene *scene = map->scene;
	size_t hidden = 0;
	char text[80];

	for (size_t i = 0; i < scene->lane_count; i++)
		hidden += !map->shown[i];
	for (size_t i = 0; i < scene->note_count; i++)
		put_note(map, scene->notes[i]);
	if (edges < map->count) {
		uint64_t messages = 0;

		for (size_t i = edges; i < map->count; i++)
			messages += map->edges[i].messages;
		snprintf(text, sizeof(text),
			 scene_say(scene, "%zu edges with %" PRIu64 " messages left out"),
			 map->count - edges, messages);
		put_note(map, text);
	}
	if (hidden) {
		snprintf(text, sizeof(text),
			 scene_say(scene, "%zu processes without a message left out"), hidden);
		put_note(map, text);
	}
}

static void put_map(struct map *map)
{
	size_t edges = map->count < EDGES_MOST ? map->count : EDGES_MOST;
	size_t lanes = map->scene->lane_count;

	for (size_t i = 0; i < lanes; i++)
		map->shown[i] = lanes <= LANES_ALWAYS;
	for (size_t i = 0; i < edges; i++)
		map->shown[map->edges[i].from] = map->shown[map->edges[i].to] = true;
	show_memories(map);
	fputs("digraph ipclens {\n\trankdir=LR;\n\tnode [shape=box, style=rounded];\n"
	      "\tnode [fontname=\"sans-serif\"];\n\tedge [fontname=\"sans-serif\", fontsize=10];\n"
	      "\tfontname=\"sans-serif\";\n\tlabelloc=b;\n\tlabeljust=l;\n\tlabel=\"",
	      map->out);
	put_owned(map, render_caption(map->scene));
	put_notes(map, edges);
	fputs("\\l\";\n", map->out);
	for (size_t i = 0; i < node_count(map); i++)
		if (map->shown[i])
			put_node(map, i);
	for (size_t i = 0; i < edges; i++)
		put_edge(map, &map->edges[i]);
	for (size_t i = 0; i < map->scene->memory_count; i++)
		if (map->shown[node_of_memory(map, i)])
			put_havers(map, i);
	fputs("}\n", map->out);
}

int render_dot(FILE *out, const struct scene *scene, const struct render_options *options)
{
	struct map map = {.scene = scene, .out = out};

	(void)options;
	map.shown = memory_array(node_count(&map) + 1, sizeof(*map.shown));
	for (size_t i = 0; i < scene->fact_count; i++)
		add_message(&map, &scene->facts[i]);
	sum_edges(&map);
	put_map(&map);
	free(map.shown);
	free(map.edges);
	return ferror(out) ? -EIO : 0;
}
