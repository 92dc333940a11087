"""How is one payment API spoken to? The protocol (`protocol`), its adapters, the target file."""
