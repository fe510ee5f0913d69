// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes a self-contained HTML file: markup, style, script, and the trace as packed columns. A
 * content security policy in the page allows exactly this script and style: no network, no code
 * injected through a trace. The script precedes the bulk of the data, so that it draws while the
 * browser is still reading.
 */
#include <errno.h>

#include "viz/render/html/assets.h"
#include "viz/render/html/columns.h"
#include "viz/render/render.h"

static void put_asset(FILE *out, struct page_asset asset)
{
	fwrite(asset.data, 1, asset.len, out);
}

static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		default:
			putc(*text, out);
		}
}

static void put_policy(FILE *out)
{
	fputs("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "base-uri 'none'; form-action 'none'; script-src 'sha256-",
	      out);
	put_asset(out, page_script_hash());
	fputs("'; style-src 'sha256-", out);
	put_asset(out, page_style_hash());
	fputs("'\">\n", out);
}

static void put_head(FILE *out, const struct scene *scene)
{
	fprintf(out, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n",
		scene->language == LANGUAGE_DE ? "de" : "en");
	put_policy(out);
	fputs("<meta name=\"viewport\" content=\"width=device-width\">\n"
	      "<meta name=\"referrer\" content=\"no-referrer\">\n<title>",
	      out);
	put_escaped(out, scene->command);
	fputs(*scene->command ? " · ipclens</title>\n<style>" : "ipclens</title>\n<style>", out);
	put_asset(out, page_style());
	fputs("</style>\n</head>\n<body>\n", out);
	fprintf(out, "<noscript>%s</noscript>\n",
		scene_say(scene, "This page draws its trace with a script of its own; nothing is "
				 "loaded from elsewhere."));
}

int render_html(FILE *out, const struct scene *scene, const struct render_options *options)
{
	int err;

	put_head(out, scene);
	put_asset(out, page_body());
	err = page_put_core(out, scene, options);
	fputs("<script>", out);
	put_asset(out, page_script());
	fputs("</script>\n", out);
	if (!err)
		err = page_put_calls(out, scene);
	if (!err)
		err = page_put_payload(out, scene);
	fputs("</body>\n</html>\n", out);
	return !err && ferror(out) ? -EIO : err;
}
