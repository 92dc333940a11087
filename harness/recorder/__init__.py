"""How does what customers did get to disk? Rows (`rows`) and their writer (`writer`)."""
