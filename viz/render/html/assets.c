// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Embeds the files that make joins from viz/render/html/page/. The assemblers of gcc and clang both
 * have .incbin, which is quicker than compiling an array.
 */
#include "viz/render/html/assets.h"

#include <stdint.h>

#ifndef PAGE_DIR
#define PAGE_DIR "build/gen/page" /* for tools that analyse this file alone */
#endif

#define ASSET(name, file)                                                                          \
	__asm__(".pushsection .rodata\n"                                                           \
		"page_" #name "_data: .incbin \"" PAGE_DIR "/" file "\"\n"                         \
		"page_" #name "_end: .balign 8\n"                                                  \
		"page_" #name "_len: .quad page_" #name "_end - page_" #name "_data\n"             \
		".popsection\n");                                                                  \
	extern const char page_##name##_data[] __attribute__((visibility("hidden")));              \
	extern const uint64_t page_##name##_len __attribute__((visibility("hidden")));             \
	struct page_asset page_##name(void)                                                        \
	{                                                                                          \
		return (struct page_asset){page_##name##_data, page_##name##_len};                 \
	}

ASSET(script, "page.js")
ASSET(style, "page.css")
ASSET(body, "body.html")
ASSET(script_hash, "page.js.sha256")
ASSET(style_hash, "page.css.sha256")
