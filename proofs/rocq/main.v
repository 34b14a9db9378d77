(* The statements, in one place, and the axioms that they rest on: none. *)
From construct Require Import residual theorem network artifact sharpness instances margins.

About width.               (* the coordinates are D, a formula without K *)
About construction_correct.  (* the seven layers leave the mixture at the answer token *)
About network_correct.     (* so do flat matrices with the compiler's entries *)
About checked.             (* so does an artifact in which the checker finds no difference *)
About every_kind_has_an_instance.  (* tasks of each kind meet all hypotheses ... *)
About conditions_are_needed.       (* ... of which nine are needed, each by itself *)
About margins_exist.       (* for tasks that are wired, in every domain, margins exist *)

Print Assumptions width.
Print Assumptions construction_correct.
Print Assumptions network_correct.
Print Assumptions checked.
Print Assumptions every_kind_has_an_instance.
Print Assumptions every_instance_is_answered.
Print Assumptions conditions_are_needed.
Print Assumptions margins_exist.
