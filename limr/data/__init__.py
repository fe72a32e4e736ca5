"""Real problems: MATH and the benchmarks, from the hub or local files to prompts files and their audit."""
