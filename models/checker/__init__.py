"""The checker: do these quotes say what this sentence says, as far as a small model over a frozen encoder can tell?"""
