"""Terms computed from columns: a small grammar, its values block by block, and how R's formulas are read."""
