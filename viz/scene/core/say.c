// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Words and numbers in a scene's language. */
#include <stdio.h>

#include "viz/scene/scene.h"

const char *scene_say(const struct scene *scene, const char *english)
{
	return language_say(scene->language, english);
}

const char *scene_say_bytes(const struct scene *scene, uint64_t bytes, char buf[SCENE_QUANTITY])
{
	scene_bytes(bytes, buf);
	return language_number(scene->language, buf);
}

const char *scene_say_duration(const struct scene *scene, uint64_t ns, char buf[SCENE_QUANTITY])
{
	scene_duration(ns, buf);
	return language_number(scene->language, buf);
}

const char *scene_say_count(const struct scene *scene, uint64_t n, char buf[SCENE_QUANTITY])
{
	scene_count(n, buf);
	return language_number(scene->language, buf);
}

const char *scene_say_time(const struct scene *scene, uint64_t ns, double unit_ns, int places,
			   char buf[SCENE_QUANTITY])
{
	snprintf(buf, SCENE_QUANTITY, "%.*f", places, (double)ns / unit_ns);
	return language_number(scene->language, buf);
}
