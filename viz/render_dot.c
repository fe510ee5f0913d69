// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A map for Graphviz, `dot -Tsvg`: who talks to whom. Processes are boxes; objects that belong to
 * nobody (pipes, queues: indirect addressing) stand between them, sockets and signals are edges
 * from process to process. Each edge adds up its messages.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lang/names.h"
#include "render.h"
#include "render_palette.h"
#include "render_sequence.h"
#include "scene_text.h"

enum { EDGES_MOST = 400, NAME_MOST = 40, NOTE_MOST = 160, LANES_ALWAYS = 60 };

/* Ends of edges: lanes, then these, then objects. */
enum { NODE_OUTSIDE, NODE_NOBODY, NODES };

struct edge {
	size_t from; /* node */
	size_t to;
	enum mechanism mechanism;
	uint64_t messages;
	uint64_t bytes;
	uint64_t latency_ns; /* added up */
	uint64_t timed;	     /* messages of it */
	bool ambiguous;	     /* one of them could be paired otherwise */
};

struct map {
	const struct scene *scene;
	FILE *out;
	struct edge *edges;
	size_t count;
	size_t capacity;
	bool *shown; /* [node] */
	bool failed;
};

/* --- edges --- */

static size_t node_of_lane(const struct map *map, int lane)
{
	size_t lanes = map->scene->lane_count;

	if (lane >= 0)
		return (size_t)lane;
	return lanes + (lane == SCENE_OUTSIDE ? NODE_OUTSIDE : NODE_NOBODY);
}

static size_t node_count(const struct map *map)
{
	return map->scene->lane_count + NODES + map->scene->object_count;
}

static void add_edge(struct map *map, size_t from, size_t to, const struct scene_message *m)
{
	struct edge *edge;

	if (map->count == map->capacity) {
		size_t capacity = map->capacity ? map->capacity * 2 : 64;
		void *grown = reallocarray(map->edges, capacity, sizeof(*edge));

		map->failed |= !grown;
		if (!grown)
			return;
		map->edges = grown;
		map->capacity = capacity;
	}
	edge = &map->edges[map->count++];
	*edge = (struct edge){from, to, m->mechanism, 1, m->bytes, 0, 0, m->ambiguous};
	if (m->sent_ns != SCENE_NEVER && m->received_ns != SCENE_NEVER &&
	    m->received_ns >= m->sent_ns) {
		edge->latency_ns = m->received_ns - m->sent_ns;
		edge->timed = 1;
	}
}

/* Through an object that belongs to nobody: an edge to it, and one from it if it was received. */
static void add_message(struct map *map, const struct scene_message *m)
{
	size_t from = node_of_lane(map, m->from), to = node_of_lane(map, m->to);
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

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return (x->mechanism > y->mechanism) - (x->mechanism < y->mechanism);
}

/* The busiest first. */
static int by_messages(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->messages != y->messages)
		return x->messages < y->messages ? 1 : -1;
	return by_ends(a, b);
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

/* Inside "…": Graphviz reads \ escapes and HTML entities there. */
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

/* Takes the text. */
static void put_owned(struct map *map, char *text)
{
	map->failed |= !text;
	put_escaped(map, text ? text : "", SIZE_MAX);
	free(text);
}

static void put_node(struct map *map, size_t node)
{
	const struct scene *scene = map->scene;
	size_t lanes = scene->lane_count;

	fprintf(map->out, "\tn%zu [", node);
	if (node < lanes) {
		fputs("label=\"", map->out);
		put_owned(map, render_lane_name(&scene->lanes[node]));
		fputs("\"];\n", map->out);
	} else if (node < lanes + NODES) {
		fprintf(map->out, "shape=plaintext, label=\"%s\"];\n",
			node == lanes + NODE_OUTSIDE ? "(not traced)" : "(nobody)");
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
	fprintf(map->out, "%s %s%s%s", scene_count(edge->messages, buf),
		edge->mechanism == MECH_SIGNAL ? "signal" : "message",
		edge->messages == 1 ? "" : "s", edge->ambiguous ? "?" : "");
	if (edge->bytes)
		fprintf(map->out, "\\n%s", scene_bytes(edge->bytes, buf));
	if (edge->timed && !object)
		fprintf(map->out, "\\nmean %s",
			scene_duration(edge->latency_ns / edge->timed, buf));
	fputs("\"];\n", map->out);
}

static void put_note(struct map *map, const char *note)
{
	fputs("\\l! ", map->out);
	put_escaped(map, note, NOTE_MOST);
}

/* Below the map: what is missing. */
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
		snprintf(text, sizeof(text), "%zu edges with %" PRIu64 " messages left out",
			 map->count - edges, messages);
		put_note(map, text);
	}
	if (hidden) {
		snprintf(text, sizeof(text), "%zu processes without a message left out", hidden);
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
	fputs("}\n", map->out);
}

int render_dot(FILE *out, const struct scene *scene, const struct render_options *options)
{
	struct map map = {.scene = scene, .out = out};

	(void)options;
	map.shown = calloc(node_count(&map) + 1, sizeof(*map.shown));
	map.failed = !map.shown;
	for (size_t i = 0; i < scene->fact_count && !map.failed; i++)
		add_message(&map, &scene->facts[i]);
	sum_edges(&map);
	if (!map.failed)
		put_map(&map);
	free(map.shown);
	free(map.edges);
	if (map.failed)
		return -ENOMEM;
	return ferror(out) ? -EIO : 0;
}
