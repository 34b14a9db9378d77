(* The statements, in one place, and the axioms that they rest on: none. *)
From construct Require Import residual theorem network artifact.

About width.               (* the coordinates are D, a formula without K *)
About construction_correct.  (* the seven layers leave the mixture at the answer token *)
About network_correct.     (* so do flat matrices with the compiler's entries *)
About checked.             (* so does an artifact in which the checker finds no difference *)

Print Assumptions width.
Print Assumptions construction_correct.
Print Assumptions network_correct.
Print Assumptions checked.
