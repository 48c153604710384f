"""The icons: 24 by 24 line drawings of our own, drawn with the colour of the text around them."""

from __future__ import annotations

from typing import Final

# Each value is the inside of an <svg>; strokes are 1.75 wide with round ends.
ICONS: Final = {
    "mark": '<path d="M11.5 5.5v13L3 12zM21 5.5v13L12.5 12z" fill="currentColor" stroke="none"/>',
    "check": '<path d="m5 12.5 4.5 4.5L19 7.5"/>',
    "check-circle": '<circle cx="12" cy="12" r="9"/><path d="m8 12.3 2.8 2.8L16 9.6"/>',
    "cross": '<path d="m6.5 6.5 11 11m0-11-11 11"/>',
    "cross-circle": '<circle cx="12" cy="12" r="9"/><path d="m9 9 6 6m0-6-6 6"/>',
    "alert": '<path d="M12 3.8 21.2 20H2.8z"/><path d="M12 10v4.2m0 2.8v.1"/>',
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5m0-9v.1"/>',
    "clock": '<circle cx="12" cy="12" r="9"/><path d="M12 7v5.2l3.4 2"/>',
    "question": (
        '<circle cx="12" cy="12" r="9"/><path d="M9.6 9.4a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.2 1-1.2 1.8'
        'm0 3v.1"/>'
    ),
    "calendar": '<path d="M4 6.5h16v13H4zM4 10.5h16M8 4v4m8-4v4"/>',
    "bell": '<path d="M6 16.5V11a6 6 0 1 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4"/>',
    "lock": '<path d="M5.5 10.5h13v9h-13zM8 10.5V8a4 4 0 1 1 8 0v2.5"/>',
    "shield": '<path d="M12 3.5 19.5 6v6c0 4.3-3.1 7.2-7.5 8.7C7.6 19.2 4.5 16.3 4.5 12V6z"/>',
    "home": '<path d="M4 11 12 4l8 7v8.5h-5.5V14h-5v5.5H4z"/>',
    "route": '<circle cx="6" cy="18" r="2.5"/><circle cx="18" cy="6" r="2.5"/>'
    '<path d="M8.5 18H15a3 3 0 0 0 0-6H9a3 3 0 0 1 0-6h6.5"/>',
    "list": '<path d="M6 3.5h12v17l-3-2-3 2-3-2-3 2zM9.5 8.5h5m-5 4h5"/>',
    "person": '<circle cx="12" cy="8" r="4"/><path d="M4.5 20c.8-4 3.8-5.5 7.5-5.5s6.7 1.5 7.5 5.5"/>',
    "shop": '<path d="M4.5 10v9.5h15V10M3 9l2-4.5h14L21 9a3 3 0 0 1-6 0 3 3 0 0 1-6 0 3 3 0 0 1-6 0z"/>',
    "bank": '<path d="M3.5 9.5 12 4l8.5 5.5zM5.5 12v5.5m4.3-5.5v5.5m4.4-5.5v5.5m4.3-5.5v5.5M3.5 20.5h17"/>',
    "wallet": '<path d="M4 7.5h16v12H4zM4 7.5l11-3v3m5 4.5h-4.5v3H20"/>',
    "back": '<path d="m14.5 5.5-6.5 6.5 6.5 6.5"/>',
    "forward": '<path d="m9.5 5.5 6.5 6.5-6.5 6.5"/>',
    "down": '<path d="m6 9.5 6 6 6-6"/>',
    "up": '<path d="m6 14.5 6-6 6 6"/>',
    "download": '<path d="M12 4v11m-4.5-4.5L12 15l4.5-4.5M4.5 19.5h15"/>',
    "print": '<path d="M7 8.5V4h10v4.5M7 16.5H4v-8h16v8h-3M7 14h10v6H7z"/>',
    "language": '<circle cx="12" cy="12" r="9"/>'
    '<path d="M3 12h18M12 3c5 5.5 5 12.5 0 18-5-5.5-5-12.5 0-18"/>',
    "leave": '<path d="M14 4.5H5v15h9M10 12h11m-3.5-3.5L21 12l-3.5 3.5"/>',
    "pencil": '<path d="M4.5 19.5 5.5 15 15.5 5l3.5 3.5-10 10z"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "return": '<path d="M8.5 5.5 4 10l4.5 4.5M4 10h10.5a5 5 0 0 1 0 10H11"/>',
    "pause": '<circle cx="12" cy="12" r="9"/><path d="M10 9v6m4-6v6"/>',
    "paper": '<path d="M6 3.5h8.5l4 4v13H6zM14 3.5V8h4.5M9 12h6m-6 3.5h6"/>',
    "search": '<circle cx="11" cy="11" r="6.5"/><path d="m16 16 4.5 4.5"/>',
    "filter": '<path d="M4 6h16M7 12h10m-7 6h4"/>',
    "scale": '<path d="M12 4v16M8 20h8M5 7h14M5 7l-2.5 6.5h5zm14 0-2.5 6.5h5z"/>',
    "people": (
        '<circle cx="9" cy="8.5" r="3.5"/><path d="M2.5 19.5c.6-3.6 3.1-5 6.5-5s5.9 1.4 6.5 5M15.5 5.3'
        'a3.5 3.5 0 0 1 0 6.4m2.5 3.3c2 .7 3.2 2.2 3.5 4.5"/>'
    ),
    "link": '<path d="M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7L12 6.3M14 10a4 4 0 0 0-5.7 0'
    'l-3.1 3.1a4 4 0 0 0 5.7 5.7l1.1-1.1"/>',
    "dot": '<circle cx="12" cy="12" r="4" fill="currentColor" stroke="none"/>',
    "ring": '<circle cx="12" cy="12" r="9" stroke-dasharray="2.5 3.2"/>',
    "minus": '<path d="M6 12h12"/>',
    "equals": '<path d="M6 9.5h12M6 14.5h12"/>',
}  # fmt: skip
