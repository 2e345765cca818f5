"""Tocsin: everything the product does, one package per stage of an event's way."""
