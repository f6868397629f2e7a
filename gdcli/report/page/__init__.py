"""The lesson page: one file that opens in any browser, in which a person descends on their own data.

Its parts lie here as they are written: a page, a style sheet and plain JavaScript modules (``bundle`` makes one file of
them). They repeat, in the browser, what the engine does with a triangle; ``contents`` says what a page is told.
"""
